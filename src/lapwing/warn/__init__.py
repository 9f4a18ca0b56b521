"""warn"""
