// Instructions of the program: made by fpga/microcode.
localparam [11:0] LENGTH = 2074;
