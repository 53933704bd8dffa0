// K_t + W_t of the block that pads a message of 64 bytes, included where that block is hashed.
//
// The block never changes, so neither does its schedule.

    function automatic [31:0] padding_constant(input [5:0] t);
        case (t)
            6'd0: padding_constant = 32'hc28a2f98; 6'd1: padding_constant = 32'h71374491;
            6'd2: padding_constant = 32'hb5c0fbcf; 6'd3: padding_constant = 32'he9b5dba5;
            6'd4: padding_constant = 32'h3956c25b; 6'd5: padding_constant = 32'h59f111f1;
            6'd6: padding_constant = 32'h923f82a4; 6'd7: padding_constant = 32'hab1c5ed5;
            6'd8: padding_constant = 32'hd807aa98; 6'd9: padding_constant = 32'h12835b01;
            6'd10: padding_constant = 32'h243185be; 6'd11: padding_constant = 32'h550c7dc3;
            6'd12: padding_constant = 32'h72be5d74; 6'd13: padding_constant = 32'h80deb1fe;
            6'd14: padding_constant = 32'h9bdc06a7; 6'd15: padding_constant = 32'hc19bf374;
            6'd16: padding_constant = 32'h649b69c1; 6'd17: padding_constant = 32'hf0fe4786;
            6'd18: padding_constant = 32'h0fe1edc6; 6'd19: padding_constant = 32'h240cf254;
            6'd20: padding_constant = 32'h4fe9346f; 6'd21: padding_constant = 32'h6cc984be;
            6'd22: padding_constant = 32'h61b9411e; 6'd23: padding_constant = 32'h16f988fa;
            6'd24: padding_constant = 32'hf2c65152; 6'd25: padding_constant = 32'ha88e5a6d;
            6'd26: padding_constant = 32'hb019fc65; 6'd27: padding_constant = 32'hb9d99ec7;
            6'd28: padding_constant = 32'h9a1231c3; 6'd29: padding_constant = 32'he70eeaa0;
            6'd30: padding_constant = 32'hfdb1232b; 6'd31: padding_constant = 32'hc7353eb0;
            6'd32: padding_constant = 32'h3069bad5; 6'd33: padding_constant = 32'hcb976d5f;
            6'd34: padding_constant = 32'h5a0f118f; 6'd35: padding_constant = 32'hdc1eeefd;
            6'd36: padding_constant = 32'h0a35b689; 6'd37: padding_constant = 32'hde0b7a04;
            6'd38: padding_constant = 32'h58f4ca9d; 6'd39: padding_constant = 32'he15d5b16;
            6'd40: padding_constant = 32'h007f3e86; 6'd41: padding_constant = 32'h37088980;
            6'd42: padding_constant = 32'ha507ea32; 6'd43: padding_constant = 32'h6fab9537;
            6'd44: padding_constant = 32'h17406110; 6'd45: padding_constant = 32'h0d8cd6f1;
            6'd46: padding_constant = 32'hcdaa3b6d; 6'd47: padding_constant = 32'hc0bbbe37;
            6'd48: padding_constant = 32'h83613bda; 6'd49: padding_constant = 32'hdb48a363;
            6'd50: padding_constant = 32'h0b02e931; 6'd51: padding_constant = 32'h6fd15ca7;
            6'd52: padding_constant = 32'h521afaca; 6'd53: padding_constant = 32'h31338431;
            6'd54: padding_constant = 32'h6ed41a95; 6'd55: padding_constant = 32'h6d437890;
            6'd56: padding_constant = 32'hc39c91f2; 6'd57: padding_constant = 32'h9eccabbd;
            6'd58: padding_constant = 32'hb5c9a0e6; 6'd59: padding_constant = 32'h532fb63c;
            6'd60: padding_constant = 32'hd2c741c6; 6'd61: padding_constant = 32'h07237ea3;
            6'd62: padding_constant = 32'ha4954b68; default: padding_constant = 32'h4c191d76;
        endcase
    endfunction
