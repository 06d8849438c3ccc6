"""Pages of patients, lesions, medications and earlier treatments."""
