"""Tables as people have them: text of any encoding and separator, JSON, spreadsheets; shared by listing and verdict."""
