sha256_functions.svh
sha256_compress.sv
hx8k.sv
