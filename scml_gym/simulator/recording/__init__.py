"""What happened in a world, as tables in Parquet files: worlds write them, `scml_gym.analyzer` reads them."""
