"""double"""
