"""The console: a FastAPI app that shows the live picture and takes an officer's decisions. It decides nothing."""
