"""asterix"""
