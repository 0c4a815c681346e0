/* The device's end of the wire under injected faults, on a virtual clock whose tick is one byte on the line.
 *
 *     faults COUNT SEED
 *
 * runs trials with the seeds SEED, SEED + 1, ... until COUNT faults were injected. In a trial a go-back-N host sends
 * numbered commands over several sessions to a session in C. Both directions suffer flipped bits, lost, doubled and
 * inserted bytes, frames sent twice, frames that come back when their number is the
 * next one again, 256 commands later or more, frames run together and stalls; the device is busy at times, closes its window at
 * times and restarts once in a while, and the host begins again in the middle of a session.
 *
 * Shown in every trial: each command reaches the handler intact (compared with the true one), in order and once;
 * whatever the host holds acknowledged was executed; replies that arrive are true; every session comes to its end; and
 * in a trial without faults nothing is sent twice or lost. A failure names the seed that repeats it. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faulty_line.h"
#include "frame.h"
#include "session.h"

#define PAYLOAD 64                /* as on the smallest board */
#define WINDOW 192
#define RECEIVE_RING 256
#define TRANSMIT_RING 128
#define COMMANDS 600              /* of a session: its numbers come round twice */
#define SESSIONS 4                /* of a trial */
#define TIMEOUT 1500              /* ticks: more than a full window and its ACKs take */
#define GIVE_UP 30000000          /* ticks within which a session must come to its end */

struct host {
    struct wire_decoder decoder;
    uint8_t receive[WIRE_RECEIVE_BYTES(PAYLOAD)];
    uint32_t nonce;
    uint8_t session;              /* 0: waits for WELCOME */
    uint32_t acknowledged;        /* commands; sent: up to which they were put on the line */
    uint32_t sent, highest;
    uint16_t credit, damage;
    uint32_t timer;               /* when there was progress, or frames were sent again */
    uint8_t silent;               /* time-outs in a row without progress */
    bool suspect, recovering, probe;
};

struct device {
    struct wire_session session;
    _Alignas(2) uint8_t receive[WIRE_RECEIVE_BYTES(PAYLOAD)];
    _Alignas(2) uint8_t transmit[WIRE_TRANSMIT_BYTES(PAYLOAD)];
    struct ring ring;
    uint16_t overruns, starts;
    uint32_t nonce;               /* of the session, for the true commands */
    uint32_t executed;            /* in this session */
    uint32_t busy_until;
    bool attempted;               /* the command has been put off once */
};

static struct line up, down;
static struct host host;
static struct device device;
static uint32_t now, trial_seed;
static uint64_t faults[FAULTS], total_executed, total_resent, total_sessions, total_restarts, total_later, total_returned;

static void fail(const char *what)
{
    printf("FAILED: %s (tick %u, executed %u, acknowledged %u)\nrerun: faults 1 %u\n", what, now, device.executed,
           host.acknowledged, trial_seed);
    exit(1);
}

static uint32_t command_state(uint32_t nonce, uint32_t number)
{
    return nonce * 2654435761u ^ (number + 1) * 2246822519u;
}

static uint8_t command_length(uint32_t nonce, uint32_t number)
{
    return (uint8_t)(number % 9 == 8 ? 0 : 1 + (command_state(nonce, number) >> 8) % PAYLOAD);
}

/* Command `number` of the session with this nonce: every ninth asks for a reply, every 13th is refused, all others
 * carry data, in which zeros are frequent. */
static uint8_t true_command(uint32_t nonce, uint32_t number, uint8_t *payload, uint8_t *length)
{
    uint32_t state = command_state(nonce, number);
    *length = command_length(nonce, number);
    for (uint8_t i = 0; i < *length; i++) {
        state = state * 1664525u + 1013904223u;
        payload[i] = (state >> 30) == 0 ? 0 : (uint8_t)(state >> 16);
    }
    return number % 9 == 8 ? WIRE_TYPE_GET_STATUS : number % 13 == 12 ? WIRE_TYPE_STOP : WIRE_TYPE_TRAIN;
}

/* --- the device --- */

static uint16_t write_room(void *context)
{
    (void)context;
    return (uint16_t)(TRANSMIT_RING - down.queue.count);
}

static void write_line(void *context, const uint8_t *bytes, uint16_t count)
{
    if (count > write_room(context))
        fail("the session writes more than there is room for");
    for (uint16_t i = 0; i < count; i++)
        ring_put(&down.queue, bytes[i]);
}

static uint16_t overruns(void *context)
{
    (void)context;
    return device.overruns;
}

static enum wire_result handle(void *context, uint8_t type, const uint8_t *payload, uint8_t length)
{
    (void)context;
    uint8_t expected[PAYLOAD], expected_length;
    uint8_t expected_type = true_command(device.nonce, device.executed, expected, &expected_length);
    if (type != expected_type || length != expected_length || memcmp(payload, expected, length) != 0)
        fail("a command arrived damaged, out of order or twice");
    if ((uint8_t)device.executed != device.session.decoder.next_seq)
        fail("next_seq differs from the commands executed");
    if (!device.attempted && random_draw(20) == 0) {
        device.attempted = true;
        total_later++;
        return WIRE_LATER;
    }
    if (type == WIRE_TYPE_GET_STATUS) {
        struct wire_status *status = wire_session_reserve(&device.session, sizeof *status);
        if (!status) {
            total_later++;
            return WIRE_LATER;
        }
        *status = (struct wire_status){.steps = device.executed, .random_state = device.nonce};
        wire_session_send(&device.session, WIRE_TYPE_STATUS, sizeof *status);
    }
    if (type == WIRE_TYPE_STOP)
        wire_session_refuse(&device.session, WIRE_ERROR_WRONG_MODE, device.executed);
    device.attempted = false;
    device.executed++;
    total_executed++;
    device.busy_until = now + random_draw(200);
    return WIRE_DONE;
}

static void welcome(void *context, struct wire_welcome *answer)
{
    (void)context;
    answer->receive_window = WINDOW;
}

static void opened(void *context)
{
    (void)context;
    device.executed = 0;
    device.attempted = false;
    device.nonce = device.session.nonce;
    total_sessions++;
}

static void start_device(void)
{
    device.session = (struct wire_session){
        .receive = device.receive, .transmit = device.transmit, .max_payload = PAYLOAD, .credit = WINDOW,
        .write_room = write_room, .write = write_line, .receive_overruns = overruns,
        .handle = handle, .welcome = welcome, .opened = opened,
        .boot_count = ++device.starts,
    };
    wire_session_init(&device.session);
    device.ring.count = 0;
    device.overruns = 0;
}

static void receive_byte(uint8_t byte)
{
    if (device.ring.count == RECEIVE_RING)
        device.overruns++;
    else
        ring_put(&device.ring, byte);
}

static void device_tick(void)
{
    if (now < device.busy_until)
        return;
    struct wire_session *session = &device.session;
    if (session->credit == 0 || random_draw(2000) == 0) {
        session->credit = session->credit == 0 ? WINDOW : 0;
        wire_session_acknowledge(session);
        if (session->credit == 0)
            device.busy_until = now + random_draw(500);
    }
    if (random_draw(400) == 0) {
        struct wire_telemetry *telemetry = wire_session_reserve(session, sizeof *telemetry);
        if (telemetry) {
            *telemetry = (struct wire_telemetry){.step = device.executed};
            wire_session_send(session, WIRE_TYPE_TELEMETRY, sizeof *telemetry);
        }
    }
    wire_session_poll(session);
    while (device.ring.count > 0 && now >= device.busy_until) {
        uint8_t byte = device.ring.bytes[device.ring.first];
        if (wire_session_receive(session, &byte, 1) == 0)
            break;
        ring_take(&device.ring);
    }
}

/* --- the host --- */

static uint8_t transmit_buffer[WIRE_TRANSMIT_BYTES(PAYLOAD)];

static void host_write(uint8_t type, uint8_t session, uint32_t number, uint8_t length)
{
    uint32_t seed = session == WIRE_SESSION_NONE ? 0 : host.nonce + (number >> 8) * WIRE_SEED_STEP;
    wire_encode(transmit_buffer, type, session, (uint8_t)number, length, seed);
    for (int i = 1; i <= WIRE_ENCODED_BYTES(length); i++)
        ring_put(&up.queue, transmit_buffer[i]);
}

static void hello(void)
{
    struct wire_hello message = {.nonce = host.nonce, .version_min = WIRE_VERSION, .version_max = WIRE_VERSION};
    memcpy(transmit_buffer + WIRE_TRANSMIT_PAYLOAD, &message, sizeof message);
    host_write(WIRE_TYPE_HELLO, WIRE_SESSION_NONE, 0, sizeof message);
    host.timer = now;
}

static void connect(void)
{
    host.nonce = random_draw(UINT32_MAX);
    host.session = 0;
    host.acknowledged = host.sent = host.highest = 0;
    host.silent = 0;
    host.damage = 0;
    host.suspect = host.recovering = host.probe = false;
    hello();
}

static void expect_frames(void)
{
    host.decoder.next_seq = (uint8_t)host.acknowledged;
    host.decoder.oldest_seed = host.nonce + (((host.acknowledged + 128) >> 8) - 1) * WIRE_SEED_STEP;
}

static void go_back(void)
{
    host.sent = host.acknowledged;
    host.recovering = true;
    host.suspect = false;
    host.timer = now;
}

static void host_acknowledged(const struct wire_ack *ack)
{
    uint8_t progress = (uint8_t)(ack->next_seq - (uint8_t)host.acknowledged);
    if (progress >= WIRE_HALF_TURN)
        return;                   /* an old one that came back */
    if (progress > host.highest - host.acknowledged)
        fail("the device acknowledges what was never sent");
    bool damaged = host.damage != (uint16_t)(ack->bad_frames + ack->rx_overruns);
    host.damage = (uint16_t)(ack->bad_frames + ack->rx_overruns);
    host.credit = ack->credit;
    host.acknowledged += progress;
    expect_frames();
    if (device.nonce == host.nonce && host.acknowledged > device.executed)
        fail("a command is acknowledged that was not executed");
    if (host.sent < host.acknowledged)
        host.sent = host.acknowledged;
    if (progress > 0) {
        host.timer = now;
        host.silent = 0;
        host.suspect = host.recovering = host.probe = false;
    }
    if (host.sent > host.acknowledged && !host.recovering) {
        if ((damaged && host.sent == host.acknowledged + 1) || (host.suspect && progress == 0))
            go_back();
        else if (damaged)
            host.suspect = true;
    }
}

static void host_byte(uint8_t byte)
{
    uint16_t taken;
    if (wire_decode(&host.decoder, &byte, 1, &taken) != WIRE_FRAME)
        return;
    const uint8_t *payload = wire_frame_payload(&host.decoder);
    uint8_t type = wire_frame_type(&host.decoder), seq = wire_frame_seq(&host.decoder);
    uint8_t session = wire_frame_session(&host.decoder);
    if (type == WIRE_TYPE_WELCOME && host.session == 0) {
        struct wire_welcome answer;
        memcpy(&answer, payload, sizeof answer);
        if (answer.nonce != host.nonce)
            return;
        if (answer.session == 0 || answer.schema != WIRE_SCHEMA || answer.max_payload != PAYLOAD)
            fail("WELCOME is wrong");
        host.session = answer.session;
        expect_frames();
        host.credit = answer.receive_window;
        host.timer = now;
    } else if (session == WIRE_SESSION_NONE || session != host.session) {
        return;
    } else if (type == WIRE_TYPE_ACK) {
        struct wire_ack ack;
        memcpy(&ack, payload, sizeof ack);
        host_acknowledged(&ack);
    } else if (type == WIRE_TYPE_STATUS) {
        struct wire_status status;
        memcpy(&status, payload, sizeof status);
        if (status.steps % 9 != 8 || status.random_state != host.nonce || (uint8_t)status.steps != seq)
            fail("a reply is wrong");
    } else if (type == WIRE_TYPE_ERR) {
        struct wire_err err;
        memcpy(&err, payload, sizeof err);
        if (err.command != WIRE_TYPE_STOP || err.detail % 13 != 12 || (uint8_t)err.detail != seq)
            fail("an ERR is wrong");
    }
}

static uint16_t bytes_in_flight(void)
{
    uint16_t bytes = 0;
    for (uint32_t number = host.acknowledged; number < host.sent; number++)
        bytes = (uint16_t)(bytes + WIRE_ENCODED_BYTES(command_length(host.nonce, number)));
    return bytes;
}

static void host_tick(void)
{
    if (up.queue.count > 0)
        return;
    bool late = now - host.timer > TIMEOUT;
    if (host.session == 0) {
        if (late)
            hello();
        return;
    }
    if (late) {
        if (++host.silent > 40) {
            connect();
            return;
        }
        go_back();
        host.probe = true;
    }
    while (host.sent < COMMANDS && host.sent - host.acknowledged < (host.probe ? 1 : WIRE_MAX_OUTSTANDING)) {
        if (bytes_in_flight() + WIRE_ENCODED_BYTES(command_length(host.nonce, host.sent)) > host.credit && !late)
            break;
        uint8_t length;
        uint8_t type = true_command(host.nonce, host.sent, transmit_buffer + WIRE_TRANSMIT_PAYLOAD, &length);
        late = false;
        if (host.sent == host.acknowledged)
            host.timer = now;
        host_write(type, host.session, host.sent, length);
        total_resent += host.sent < host.highest;
        host.sent++;
        if (host.sent > host.highest)
            host.highest = host.sent;
    }
}

/* --- trials --- */

static void run_trial(uint32_t seed)
{
    static const uint32_t spacings[] = {0, 30, 40, 50, 60, 80, 100, 150, 200, 400};
    trial_seed = seed;
    random_seed(seed);
    now = 0;
    memset(&up, 0, sizeof up);
    memset(&down, 0, sizeof down);
    memset(&device, 0, sizeof device);
    memset(&host, 0, sizeof host);
    up.deliver = receive_byte;
    down.deliver = host_byte;
    up.spacing = down.spacing = spacings[seed % (sizeof spacings / sizeof *spacings)];
    wire_decoder_init(&host.decoder, host.receive, PAYLOAD);
    start_device();

    uint64_t resent = total_resent;
    uint8_t last_number = 0;
    for (int i = 0; i < SESSIONS; i++) {
        connect();
        uint32_t begun = now, restarts = 0;
        bool crashed = false;
        while (host.acknowledged < COMMANDS) {
            now++;
            if (now - begun > GIVE_UP)
                fail("no progress");
            if (up.spacing > 0 && restarts < 2 && random_draw(25000) == 0) {
                restarts++;
                total_restarts++;
                start_device();
            }
            if (up.spacing > 0 && !crashed && random_draw(10000) == 0) {
                crashed = true;
                connect();
            }
            host_tick();
            line_tick(&up, faults);
            device_tick();
            line_tick(&down, faults);
        }
        if (device.nonce == host.nonce && device.executed != COMMANDS)
            fail("not every acknowledged command was executed once");
        if (up.spacing == 0) {
            if (host.session == last_number)
                fail("two sessions have the same number");
            if (total_resent != resent || device.session.bad_frames != 0 || device.overruns != 0)
                fail("frames were lost or sent again without a fault");
            if (device.session.errors != COMMANDS / 13 - COMMANDS / (9 * 13))
                fail("refused commands are counted wrong");
        }
        last_number = host.session;
    }
    total_returned += up.returned + down.returned;
}

static uint64_t total_faults(void)
{
    uint64_t total = 0;
    for (int kind = 0; kind < FAULTS; kind++)
        total += faults[kind];
    return total;
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: faults COUNT SEED\n");
        return 2;
    }
    uint64_t wanted = strtoull(arguments[1], NULL, 10);
    uint32_t seed = (uint32_t)strtoul(arguments[2], NULL, 10);
    uint32_t trials = 0;
    do
        run_trial(seed + trials++);
    while (total_faults() < wanted);
    printf("trials %u sessions %" PRIu64 " restarts %" PRIu64, trials, total_sessions, total_restarts);
    printf(" executed %" PRIu64 " resent %" PRIu64 " later %" PRIu64, total_executed, total_resent, total_later);
    printf(" returned %" PRIu64 "\n", total_returned);
    for (int kind = 0; kind < FAULTS; kind++)
        printf("%s %" PRIu64 " ", fault_names[kind], faults[kind]);
    printf("total %" PRIu64 "\n", total_faults());
    return 0;
}
