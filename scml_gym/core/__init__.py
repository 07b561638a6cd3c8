"""What every part of the package uses: errors, registries, files, configuration, processes. It knows no game."""
