"""What campaigns and surveys keep: records, the study file, the parts of a survey."""
