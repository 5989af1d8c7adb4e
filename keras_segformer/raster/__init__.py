"""Rasters with coordinates: GeoTIFF files in and out, by rasterio (extra `geo`), a window at a time."""
