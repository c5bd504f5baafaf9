"""HTTP statuses of refusals that come from the inner rooms, by their code."""

PICTURE_STATUS = {"empty": 400, "not_a_picture": 415, "too_many_pixels": 413}
"""Of a PictureError; any other code is 422."""

REFUSED_STATUS = {"missing_phone": 400, "bad_case_code": 422, "case_not_found": 404}
"""Of an UploadRefused; any other code is 409."""
