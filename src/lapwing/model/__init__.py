"""The nouns that flow between the stages. Every stage imports these; they import nothing of Lapwing but themselves."""
