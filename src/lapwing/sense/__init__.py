"""sense"""
