// CRC-32 (IEEE 802.3, reflected) of a line, from and to the register: not inverted. Each bit is a parity of about half the
// line's bits, and written so, because tools leave 512 steps of a shift register as deep as they are.
localparam [31:0] CRC32_POLYNOMIAL = 32'hEDB88320;

// From bit 512 * i on: the line's bits that bit i of the register is the parity of.
function automatic [32*512-1:0] crc32_parities(input [31:0] polynomial);
    integer at, i;
    reg [31:0] register;
    begin
        // What a bit set leaves in the register at the end; the last bit first.
        register = polynomial;
        for (at = 511; at >= 0; at = at - 1) begin
            for (i = 0; i < 32; i = i + 1) crc32_parities[512*i+at] = register[i];
            register = {1'b0, register[31:1]} ^ (register[0] ? polynomial : 32'd0);
        end
    end
endfunction

localparam [32*512-1:0] CRC32_PARITIES = crc32_parities(CRC32_POLYNOMIAL);

function automatic [31:0] crc32_line(input [31:0] start, input [511:0] line);
    integer i;
    reg [511:0] bits;
    begin
        bits = line ^ {480'd0, start};
        for (i = 0; i < 32; i = i + 1) crc32_line[i] = ^(bits & CRC32_PARITIES[512*i+:512]);
    end
endfunction
