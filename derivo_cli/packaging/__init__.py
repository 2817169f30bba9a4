"""What `derivo package` builds: fetched by digest, left without what does not run, written so that bytes repeat."""
