# Of every run in this folder that does not set its own.
function_zip       = "tests/function.zip"
layer_zip          = "tests/layer.zip"
source_bucket      = "frogtech-sharara-external"
destination_bucket = "frogtech-sharara-internal"
