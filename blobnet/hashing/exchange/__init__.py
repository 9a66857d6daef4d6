"""Codes for the engines that people run: Parquet for analytics, FAISS's index files, SQL for PostgreSQL."""
