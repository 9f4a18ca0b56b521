"""country"""
