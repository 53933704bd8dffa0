// The model's one C ABI: registers, lines, clock cycles. It knows the ports of `top` and nothing behind them.
#include <cstdint>
#include <cstring>

#include "Vtop.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace {
// Cycles that any handshake may take: far more than a card needs that is not stuck.
const int PATIENCE = 10000;

struct Card {
    VerilatedContext context;
    Vtop top{&context};
    uint64_t cycles = 0;

    void tick() {
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
        ++cycles;
    }
};
}  // namespace

extern "C" {

Card* fpga_sim_new() {
    Card* card = new Card;
    // The first evaluation only records the clock's level: no edge in it.
    card->top.clk = 0;
    card->top.rst = 1;
    card->top.eval();
    return card;
}

void fpga_sim_free(Card* card) {
    card->top.final();
    delete card;
}

void fpga_sim_reset(Card* card) {
    Vtop& top = card->top;
    top.s_axil_awvalid = top.s_axil_wvalid = top.s_axil_arvalid = 0;
    top.s_axil_bready = top.s_axil_rready = 0;
    top.h2c_valid = top.c2h_req_valid = top.c2h_ready = 0;
    top.rst = 1;
    for (int i = 0; i < 8; ++i) card->tick();
    top.rst = 0;
    card->tick();
}

void fpga_sim_step(Card* card, uint64_t cycles) {
    while (cycles--) card->tick();
}

// Whether the interrupt came within so many cycles.
int fpga_sim_step_until_irq(Card* card, uint64_t cycles) {
    card->top.eval();
    while (!card->top.irq) {
        if (cycles-- == 0) return 0;
        card->tick();
    }
    return 1;
}

uint64_t fpga_sim_cycles(const Card* card) { return card->cycles; }

int fpga_sim_read32(Card* card, uint32_t address, uint32_t* value) {
    Vtop& top = card->top;
    top.s_axil_arvalid = 1;
    top.s_axil_araddr = address;
    top.s_axil_rready = 1;
    bool asked = false, got = false;
    for (int i = 0; i < PATIENCE && !got; ++i) {
        top.eval();
        bool taken = top.s_axil_arvalid && top.s_axil_arready;
        got = asked && top.s_axil_rvalid;
        if (got) *value = top.s_axil_rdata;
        card->tick();
        if (taken) {
            asked = true;
            top.s_axil_arvalid = 0;
        }
    }
    top.s_axil_arvalid = top.s_axil_rready = 0;
    return got;
}

int fpga_sim_write32(Card* card, uint32_t address, uint32_t value) {
    Vtop& top = card->top;
    top.s_axil_awvalid = top.s_axil_wvalid = 1;
    top.s_axil_awaddr = address;
    top.s_axil_wdata = value;
    top.s_axil_wstrb = 15;
    top.s_axil_bready = 1;
    bool done = false;
    for (int i = 0; i < PATIENCE && !done; ++i) {
        top.eval();
        bool address_taken = top.s_axil_awvalid && top.s_axil_awready;
        bool data_taken = top.s_axil_wvalid && top.s_axil_wready;
        done = !top.s_axil_awvalid && !top.s_axil_wvalid && top.s_axil_bvalid;
        card->tick();
        if (address_taken) top.s_axil_awvalid = 0;
        if (data_taken) top.s_axil_wvalid = 0;
    }
    top.s_axil_awvalid = top.s_axil_wvalid = top.s_axil_bready = 0;
    return done;
}

// Whole lines, one a cycle.
int fpga_sim_h2c(Card* card, uint32_t address, const uint8_t* bytes, uint64_t lines) {
    Vtop& top = card->top;
    int waited = 0;
    top.h2c_valid = 1;
    for (uint64_t line = 0; line < lines;) {
        top.h2c_addr = address + 64 * line;
        std::memcpy(&top.h2c_data[0], bytes + 64 * line, 64);
        top.eval();
        bool taken = top.h2c_ready;
        card->tick();
        if (taken) {
            ++line;
            waited = 0;
        } else if (++waited == PATIENCE) {
            break;
        }
    }
    top.h2c_valid = 0;
    return waited != PATIENCE;
}

int fpga_sim_c2h(Card* card, uint32_t address, uint8_t* bytes, uint64_t lines) {
    Vtop& top = card->top;
    uint64_t asked = 0, got = 0;
    int waited = 0;
    top.c2h_ready = 1;
    while (got < lines && waited < PATIENCE) {
        top.c2h_req_valid = asked < lines;
        top.c2h_req_addr = address + 64 * asked;
        top.eval();
        bool taken = top.c2h_req_valid && top.c2h_req_ready;
        ++waited;
        if (top.c2h_valid) {
            std::memcpy(bytes + 64 * got, &top.c2h_data[0], 64);
            ++got;
            waited = 0;
        }
        card->tick();
        if (taken) ++asked;
    }
    top.c2h_req_valid = top.c2h_ready = 0;
    return got == lines;
}

}  // extern "C"
