"""Photos from the mobile side: media by multipart or by address, and MM7.

The sender is the farmer. All photos of one message become one case, in the kiosk's own intake.
"""
