// CRC-32 (IEEE 802.3, reflected) of the low bits of a line, from and to the register: not inverted.
localparam [31:0] CRC32_POLYNOMIAL = 32'hEDB88320;

function automatic [31:0] crc32_bits(input [31:0] start, input [511:0] line, input integer bits);
    integer i;
    begin
        crc32_bits = start;
        for (i = 0; i < bits; i = i + 1)
            crc32_bits = {1'b0, crc32_bits[31:1]} ^ ((crc32_bits[0] ^ line[i]) ? CRC32_POLYNOMIAL : 32'd0);
    end
endfunction
