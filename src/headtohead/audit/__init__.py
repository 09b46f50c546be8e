"""May this data carry a comparison at all?"""
