/* Fuzz target: the whole device behind an open session (firmware/src, lib/wire, lib/anp).
 *
 * An input is FUZZ_OPTIONS bytes that choose the board, then a script of calls (script.c). Whatever the host, the junction, the clock
 * and the memory do, this must hold: no step outside any memory; every frame that the device sends is whole, of a known type and length,
 * with enumerations that the protocol names; a TRAIN trains exactly its samples, or at most those when it is refused, and no other
 * answered command trains; a chunk that is taken continues where the one before it ended, states the same size and ends inside of it, one
 * that is refused writes nothing, and a dataset is written between the checkpoints alone; a noise stream has no more codes than were asked
 * for; an EVALUATE counts exactly its samples; parts of a sample follow each other, are as they were sent until it is used, and are used
 * once; a command writes memory only if the protocol says so; no weight and no matrix holds the
 * value that symmetric saturation excludes; the noise buffer agrees with its sum; and a host that reads and a junction that flickers get
 * every command answered in the end. */
#include "device_target.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autonomous/memory_map.h"
#include "autonomous/tasks.h"
#include "bounds.h"
#include "fuzz_messages.h"
#include "messages.h"
#include "turn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rig rig;

static enum wire_result (*execute)(void *context, uint8_t type, const uint8_t *payload, uint8_t length);
static void (*put_on_line)(void *context, const uint8_t *bytes, uint16_t count);

/* Samples in `length` bytes, or the one that they complete. */
static uint32_t samples_in(uint8_t length)
{
    const struct anp_network *net = &rig.device->net;
    uint32_t width = net->config.sizes[0] + anp_target_count(net), filled = rig.sample.filled;
    return filled && length == 2 * (width - filled) ? 1 : length / 2u / width;
}

static const int16_t *sample_place(void)
{
    return (const int16_t *)(const void *)(rig.board.arena + bounds_sample_place(rig.device->net.at.used));
}

/* What network and task do not use of the arena is out of bounds. */
static void open_arena(void)
{
    ASAN_UNPOISON_MEMORY_REGION(rig.board.arena, rig.board.board.arena_bytes);
}

static void close_arena(void)
{
    const struct device *device = rig.device;
    uint32_t used = device->configured ? (uint32_t)device->net.at.used : 0, arena = rig.board.board.arena_bytes;
    if (device->configured) {
        uint32_t with = bounds_with_sample(used, device->net.config.sizes[0], anp_target_count(&device->net));
        used = with <= arena ? with : used;
    }
    if (device->configured && device->autonomous.training.task != WIRE_TASK_NONE) {
        uint32_t task = (uint32_t)task_arena_bytes(device, device->autonomous.training.task);
        used = task > used ? task : used;
    }
    if (used < arena)
        ASAN_POISON_MEMORY_REGION(rig.board.arena + used, arena - used);
}

/* --- commands with an offset, a total or a count --- */

/* What a command may write of the memory while it is executed. */
static void bound_writes(uint8_t type, const uint8_t *payload)
{
    struct fuzz_board *board = &rig.board;
    board->write_from = 0;
    board->write_end = board->board.memory_bytes;
    if (type != WIRE_TYPE_SET_BLOB || *payload != WIRE_BLOB_KIND_DATASET || !rig.device->configured)
        return;
    uint64_t room = memory_slot_room(&board->board, memory_bytes_of(&rig.device->net));
    board->write_from = (uint16_t)(room < UINT16_MAX ? room : UINT16_MAX);
    board->write_end = (uint16_t)(room < board->write_end ? board->write_end - room : 0);
}

static void check_chunk(const struct wire_set_blob *chunk, uint32_t count, bool refused, bool wrote)
{
    uint8_t error = rig.device->session.last_error;
    if (refused) {
        bool bounded = error == WIRE_ERROR_BAD_LENGTH || error == WIRE_ERROR_BAD_OFFSET;
        fuzz_check(!(bounded && wrote), "a chunk that is refused was written");
        return;
    }
    fuzz_check((uint64_t)chunk->offset + count <= chunk->total, "a chunk beyond its blob");
    if (chunk->offset) {
        fuzz_check(rig.upload.kind == chunk->blob && rig.upload.next == chunk->offset, "a chunk that does not follow the one before");
        fuzz_check(rig.upload.total == chunk->total, "a blob that changes its size");
    }
    rig.upload.kind = chunk->blob;
    rig.upload.total = chunk->total;
    rig.upload.next = chunk->offset + count < chunk->total ? chunk->offset + count : 0;
}

/* What a part brings, after it was taken: in order, and into the inputs. */
static void keep_part(const uint8_t *payload, uint8_t length)
{
    struct wire_sample_part part;
    memcpy(&part, payload, sizeof part);
    uint32_t count = (length - (uint32_t)sizeof part) / part.value_bytes;
    fuzz_check(part.offset == 0 || part.offset == rig.sample.filled, "a part that does not follow the one before");
    fuzz_check(count && part.offset + count <= rig.device->net.config.sizes[0], "a part beyond the inputs");
    for (uint32_t i = 0; i < count; i++) {
        int16_t value = (int8_t)payload[sizeof part + i];
        if (part.value_bytes == 2)
            memcpy(&value, payload + sizeof part + 2 * i, 2);
        int32_t scaled = value * (1 << part.scale), limit = WIRE_MAX_SAMPLES_VALUE;
        rig.sample.values[part.offset + i] = (int16_t)(scaled > limit ? limit : scaled < -limit ? -limit : scaled);
    }
    rig.sample.filled = (uint16_t)(part.offset + count);
}

static bool uses_samples(uint8_t type)
{
    return type == WIRE_TYPE_TRAIN || type == WIRE_TYPE_PREDICT || type == WIRE_TYPE_EVALUATE;
}

/* After any command: the device remembers no other parts than those that it took, and has them as they were. */
static void check_parts(uint8_t type, const uint8_t *payload, uint8_t length, bool refused)
{
    if (type == WIRE_TYPE_SAMPLE_PART && !refused)
        keep_part(payload, length);
    uint16_t filled = rig.device->long_samples.filled;
    fuzz_check(filled == 0 || filled == rig.sample.filled, "parts that were forgotten are remembered");
    fuzz_check(filled == 0 || !uses_samples(type), "parts are used twice");
    fuzz_check(memcmp(sample_place(), rig.sample.values, 2u * filled) == 0, "a sample that was mixed");
    rig.sample.filled = filled;
}

/* After a command that was executed. `samples`: evaluated before. */
static void check_counts(uint8_t type, const uint8_t *payload, uint8_t length, bool refused, bool wrote, uint32_t samples)
{
    struct device *device = rig.device;
    struct wire_set_blob chunk;
    struct wire_noise noise;
    if (type == WIRE_TYPE_SET_BLOB && length >= sizeof chunk) {
        memcpy(&chunk, payload, sizeof chunk);
        check_chunk(&chunk, length - (uint32_t)sizeof chunk, refused, wrote);
        bound_writes(type, payload);
        uint32_t room = (uint32_t)(rig.board.write_end - rig.board.write_from);
        fuzz_check(refused || chunk.blob != WIRE_BLOB_KIND_DATASET || chunk.total <= room, "a dataset larger than its room");
    }
    if (refused)
        return;
    if (type == WIRE_TYPE_CONFIGURE || (type == WIRE_TYPE_DEFINE_DATASET && rig.upload.kind == WIRE_BLOB_KIND_DATASET))
        rig.upload.next = 0;
    if (type == WIRE_TYPE_NOISE) {
        memcpy(&noise, payload, sizeof noise);
        rig.codes_asked = noise.count && noise.count < UINT32_MAX - rig.codes_asked ? rig.codes_asked + noise.count : UINT32_MAX;
    }
    if (type == WIRE_TYPE_EVALUATE)
        fuzz_check(device->metrics.samples == samples + samples_in((uint8_t)(length - 1)), "an EVALUATE counted other than its samples");
}

static bool writes_memory(uint8_t type)
{
    for (uint8_t i = 0; i < FUZZ_HOST_MESSAGES; i++)
        if (fuzz_host_messages[i].type == type)
            return fuzz_host_messages[i].writes_memory;
    return false;
}

/* Stands between the session and the device's own handler. */
static enum wire_result handle(void *context, uint8_t type, const uint8_t *payload, uint8_t length)
{
    struct device *device = rig.device;
    uint8_t errors = device->session.errors, seq = device->session.decoder.next_seq;
    uint32_t before = device->net.steps;
    if (!rig.attempted) {
        rig.attempted = true;
        rig.steps_before = before;
    }
    fuzz_check(payload == (const uint8_t *)device->receive + WIRE_RECEIVE_PAYLOAD, "a payload lies where it was received");
    fuzz_check(length <= device->session.max_payload, "a payload is larger than agreed");
    /* A new network, a task, or an uploaded checkpoint. */
    if (type == WIRE_TYPE_CONFIGURE || type == WIRE_TYPE_AUTONOMOUS || (type == WIRE_TYPE_SET_BLOB && *payload == WIRE_BLOB_KIND_CHECKPOINT))
        open_arena();
    /* An EVALUATE loses its first byte, a restart what was counted. */
    uint32_t samples = type == WIRE_TYPE_EVALUATE && length && *payload ? 0 : device->metrics.samples, writes = rig.board.writes;
    bool saved = autonomous_saves(device);
    bound_writes(type, payload);
    enum wire_result result = execute(context, type, payload, length);
    close_arena();
    fuzz_check(writes_memory(type) || (rig.board.writes == writes && autonomous_saves(device) == saved),
               "a command writes memory of which shared/protocol.toml does not say that it does");
    fuzz_check(device->session.decoder.next_seq == seq, "a handler counts its own command");
    bool refused = device->session.errors != errors;
    if (type == WIRE_TYPE_TRAIN && result == WIRE_DONE) {
        uint32_t steps = device->net.steps - rig.steps_before, samples = device->configured ? samples_in(length) : 0;
        fuzz_check(refused ? steps <= samples : steps == samples, "an acknowledged TRAIN trained other than its samples");
    } else if (type != WIRE_TYPE_TRAIN && type != WIRE_TYPE_CONFIGURE && type != WIRE_TYPE_SET_BLOB) {
        fuzz_check(device->net.steps == before, "a command that does not train trained");
    }
    if (result == WIRE_DONE) {
        check_counts(type, payload, length, refused, rig.board.writes != writes, samples);
        if (device->configured)
            check_parts(type, payload, length, refused);
        rig.attempted = false;
    }
    rig.board.write_from = 0;
    rig.board.write_end = rig.board.board.memory_bytes;
    return result;
}

/* --- what the device sends --- */

static const struct fuzz_message *device_message(uint8_t type)
{
    for (uint8_t i = 0; i < FUZZ_DEVICE_MESSAGES; i++)
        if (fuzz_device_messages[i].type == type)
            return &fuzz_device_messages[i];
    return NULL;
}

static void keep_blob(const uint8_t *payload, uint8_t length)
{
    struct wire_blob blob;
    memcpy(&blob, payload, sizeof blob);
    uint32_t count = length - (uint32_t)sizeof blob;
    fuzz_check(blob.offset + count <= blob.total, "a BLOB beyond its end");
    if (blob.total <= FUZZ_BLOB) {
        memcpy(rig.blobs[blob.blob].bytes + blob.offset, payload + sizeof blob, count);
        rig.blobs[blob.blob].total = blob.total;
    }
}

static void count_codes(const uint8_t *payload, uint8_t length)
{
    struct wire_noise_codes codes;
    memcpy(&codes, payload, sizeof codes);
    fuzz_check((length - (uint32_t)sizeof codes) * 8 >= (uint32_t)codes.bits * codes.count, "NOISE_CODES without its codes");
    fuzz_check(codes.count <= rig.codes_asked, "more codes than were asked for");
    if (rig.codes_asked != UINT32_MAX)
        rig.codes_asked -= codes.count;
}

static void check_frame(void)
{
    const struct fuzz_message *message = device_message(wire_frame_type(&rig.decoder));
    const uint8_t *payload = wire_frame_payload(&rig.decoder);
    uint8_t length = wire_frame_length(&rig.decoder);
    fuzz_check(message != NULL, "the device sends a message that the protocol does not know");
    fuzz_check(length <= rig.device->session.max_payload, "the device sends a larger payload than agreed");
    fuzz_check(message->open ? length >= message->size && (length - message->size) % message->open == 0 : length == message->size,
               "the device sends a message of a wrong length");
    for (uint8_t i = 0; i < message->field_count; i++) {
        const struct fuzz_field *field = &fuzz_fields[message->first_field + i];
        uint32_t value = 0;
        memcpy(&value, payload + field->offset, field->bytes);
        fuzz_check(value <= field->high, "the device sends a value that the protocol does not know");
    }
    if (message->type == WIRE_TYPE_BLOB)
        keep_blob(payload, length);
    if (message->type == WIRE_TYPE_NOISE_CODES)
        count_codes(payload, length);
}

/* Stands between the session and the line; looks at a frame while the session is still the one that sends it. */
static void write(void *context, const uint8_t *bytes, uint16_t count)
{
    uint16_t taken;
    rig.decoder.oldest_seed = rig.device->session.decoder.oldest_seed;
    rig.decoder.next_seq = rig.device->session.decoder.next_seq;
    fuzz_check(wire_decode(&rig.decoder, bytes, 1, &taken) == WIRE_NOTHING, "a frame starts in another");
    bool whole = wire_decode(&rig.decoder, bytes + 1, (uint16_t)(count - 1), &taken) == WIRE_FRAME && taken == count - 1;
    fuzz_check(whole, "the device sends something that is not a frame");
    check_frame();
    put_on_line(context, bytes, count);
}

static void start_device(void)
{
    open_arena();
    device_init(rig.device, &rig.board.board, &rig.board.start);
    close_arena();
    execute = rig.device->session.handle;
    rig.device->session.handle = handle;
    put_on_line = rig.device->session.write;
    rig.device->session.write = write;
    rig.attempted = false;
    rig.upload.next = 0;
    wire_decoder_init(&rig.decoder, rig.receive, WIRE_MAX_PAYLOAD);
}

/* --- what must hold --- */

static bool excludes(const uint8_t *bytes, size_t count, uint8_t value_bytes)
{
    for (uint32_t at = 0; at + value_bytes <= count; at += value_bytes) {
        uint32_t value = 0;
        memcpy(&value, bytes + at, value_bytes);
        if (value == (value_bytes == 2 ? 0x8000u : 0x80000000u))
            return false;
    }
    return true;
}

static bool inside_arena(const uint8_t *bytes, size_t count)
{
    const uint8_t *arena = rig.board.arena;
    return bytes >= arena && bytes + count <= arena + rig.board.board.arena_bytes;
}

static void check_network(void)
{
    const struct anp_network *net = &rig.device->net;
    if (!rig.device->configured)
        return;
    fuzz_check(anp_check(&net->config) == ANP_OK, "the network's configuration is none that anp_check() takes");
    fuzz_check(net->at.used <= rig.board.board.arena_bytes, "the network is larger than its arena");
    fuzz_check(inside_arena(net->at.weights, net->at.weights_bytes), "weights outside the arena");
    fuzz_check(net->at.matrices_bytes == 0 || inside_arena(net->at.matrices, net->at.matrices_bytes), "matrices outside the arena");
    fuzz_check(net->random_state != 0, "the random generator stands still");
    fuzz_check(net->last_loss <= ANP_LOSS_MAX, "a loss beyond the largest");
    if (rig.device->blobs.damaged)
        return;
    fuzz_check(excludes(net->at.weights, net->at.weights_bytes, net->config.weight_format == ANP_INT32 ? 4 : 2),
               "a weight that symmetric saturation excludes");
    fuzz_check(excludes(net->at.matrices, net->at.matrices_bytes, 2), "a matrix element that symmetric saturation excludes");
}

static void check_noise(void)
{
    const struct anp_noise *noise = &rig.device->intake.noise;
    uint32_t total = 0;
    fuzz_check(noise->filled <= ANP_NOISE_BUFFER && noise->position < ANP_NOISE_BUFFER, "the noise buffer is out of its bounds");
    fuzz_check(rig.device->intake.contiguous <= ANP_NOISE_BUFFER, "more contiguous codes than there are");
    for (uint8_t i = 0; i < ANP_NOISE_BUFFER; i++)
        total += noise->ring[i];
    fuzz_check(total == noise->total, "the noise buffer does not agree with its sum");
}

void rig_check(void)
{
    check_network();
    check_noise();
}

void rig_poll(uint16_t turns)
{
    while (turns--) {
        bool busy = device_poll(rig.device);
        if (rig.reads)
            rig.board.sent_count = 0;
        if (rig.board.restart) {
            fuzz_board_reset(&rig.board, WIRE_RESET_CAUSE_SOFTWARE);
            start_device();
        }
        if (!busy)
            break;
    }
}

void rig_power_cut(enum fuzz_torn torn)
{
    fuzz_board_power_cut(&rig.board, torn);
    start_device();
}

void rig_reset(uint8_t cause)
{
    /* What had left the device is still on the line. */
    rig.board.sent_count = 0;
    fuzz_board_reset(&rig.board, cause);
    start_device();
}

/* The host reads, the junction flickers, time passes: everything that waits must come to its end. */
static void check_liveness(void)
{
    rig.reads = true;
    rig.board.room = FUZZ_SENT;
    rig.board.level_low = 34;
    rig.board.level_high = 44;
    for (uint16_t round = 0; round < 3000; round++) {
        rig_poll(16);
        if (!rig.device->session.held && !rig.device->session.ack_due && rig.board.received_count == 0)
            return;
        fuzz_board_flicker(&rig.board, FUZZ_CODES / 2);
        rig.board.micros += 3000;
    }
    fprintf(stderr, "held %d type %#x ack due %d received %u activity %u phase %u fault %u filled %u\n", rig.device->session.held,
            wire_frame_type(&rig.device->session.decoder), rig.device->session.ack_due, rig.board.received_count,
            rig.device->autonomous.training.activity, rig.device->autonomous.checkpoint.phase, rig.device->intake.health.fault,
            rig.device->intake.noise.filled);
    fuzz_fail("a command is never answered though the host reads and the junction flickers");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < FUZZ_OPTIONS || size > 4096)
        return 0;
    rig = (struct rig){.device = malloc(sizeof *rig.device), .reads = true};
    if (!rig.device)
        exit(3);
    fuzz_board_init(&rig.board, data);
    start_device();
    script_run(data + FUZZ_OPTIONS, size - FUZZ_OPTIONS);
    check_liveness();
    rig_check();
    open_arena();
    fuzz_board_free(&rig.board);
    free(rig.device);
    return 0;
}
