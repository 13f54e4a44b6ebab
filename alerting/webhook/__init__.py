"""What other systems post: who may, how much, and what it means.

Nothing here knows Django, the clock or the network: requests come in as bytes and
headers, and what comes out are plain alerts.
"""
