/* A session at the end of a pipe, for tests: one command a line on stdin, one event a line on stdout.
 *
 *     rx HEX          receives bytes; those not taken wait for the next rx or poll      -> rest COUNT
 *     poll            polls, then receives what waited                                  -> rest COUNT
 *     room COUNT      what write_room() says from now on; writing uses it up
 *     later 0|1       whether the handler puts every command off
 *     credit N, overruns N, boot N    sets them (boot also starts afresh)
 *     send TYPE HEX   sends a frame                                                    -> sent 0|1
 *     ack, close      calls wire_session_acknowledge(), wire_session_close()
 *
 * Events: tx HEX (one call of write()), opened NUMBER, handle TYPE HEX, and those above. GET_STATUS is answered with
 * four bytes, PREDICT with its own payload, inverted in place; STOP is refused with WRONG_MODE, detail 0x01020304;
 * RESET closes the session. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

#define PAYLOAD 64

static _Alignas(2) uint8_t receive[WIRE_RECEIVE_BYTES(PAYLOAD)];
static _Alignas(2) uint8_t transmit[WIRE_TRANSMIT_BYTES(PAYLOAD)];
static struct wire_session session;
static uint16_t room = UINT16_MAX, overruns;
static int later;
static uint8_t waiting[65536];
static uint16_t waiting_count;

static void print_hex(const uint8_t *bytes, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

static uint16_t write_room(void *context)
{
    (void)context;
    return room;
}

static void write_line(void *context, const uint8_t *bytes, uint16_t count)
{
    (void)context;
    if (count > room)
        abort();
    room = (uint16_t)(room - count);
    printf("tx ");
    print_hex(bytes, count);
}

static uint16_t receive_overruns(void *context)
{
    (void)context;
    return overruns;
}

static enum wire_result handle(void *context, uint8_t type, const uint8_t *payload, uint8_t length)
{
    (void)context;
    if (later || ((type == WIRE_TYPE_GET_STATUS || type == WIRE_TYPE_PREDICT) && !wire_session_reserve(&session, length)))
        return WIRE_LATER;
    printf("handle %u ", type);
    print_hex(payload, length);
    if (type == WIRE_TYPE_GET_STATUS) {
        uint8_t *status = wire_session_reserve(&session, 4);
        if (!status)
            return WIRE_LATER;
        memcpy(status, "\1\0\2\0", 4);
        wire_session_send(&session, WIRE_TYPE_STATUS, 4);
    }
    if (type == WIRE_TYPE_PREDICT) {
        uint8_t *outputs = wire_session_reserve(&session, length);
        for (uint8_t i = 0; i < length; i++)
            outputs[i] = (uint8_t)~payload[i];
        wire_session_send(&session, WIRE_TYPE_PREDICTION, length);
    }
    if (type == WIRE_TYPE_STOP)
        wire_session_refuse(&session, WIRE_ERROR_WRONG_MODE, 0x01020304);
    if (type == WIRE_TYPE_RESET)
        wire_session_close(&session);
    return WIRE_DONE;
}

static void welcome(void *context, struct wire_welcome *answer)
{
    (void)context;
    memcpy(answer->board, "shell", 5);
    answer->receive_window = 192;
}

static void opened(void *context)
{
    (void)context;
    printf("opened %u\n", session.number);
}

static void start(uint16_t boot_count)
{
    session = (struct wire_session){
        .receive = receive, .transmit = transmit, .max_payload = PAYLOAD, .boot_count = boot_count, .credit = 192,
        .write_room = write_room, .write = write_line, .receive_overruns = receive_overruns,
        .handle = handle, .welcome = welcome, .opened = opened,
    };
    wire_session_init(&session);
}

static uint16_t read_hex(const char *text, uint8_t *bytes)
{
    uint16_t count = 0;
    unsigned byte;
    for (; sscanf(text, "%2x", &byte) == 1; text += 2)
        bytes[count++] = (uint8_t)byte;
    return count;
}

static void feed(void)
{
    uint16_t taken = wire_session_receive(&session, waiting, waiting_count);
    waiting_count = (uint16_t)(waiting_count - taken);
    memmove(waiting, waiting + taken, waiting_count);
    printf("rest %u\n", waiting_count);
}

int main(void)
{
    static char line[200000], word[16], argument[150000];
    start(0);
    while (fgets(line, sizeof line, stdin)) {
        argument[0] = 0;
        int used = 0;
        if (sscanf(line, "%15s%n", word, &used) != 1)
            continue;
        sscanf(line + used, "%149999s", argument);
        uint16_t number = (uint16_t)strtoul(argument, NULL, 10);
        if (!strcmp(word, "rx")) {
            waiting_count = (uint16_t)(waiting_count + read_hex(argument, waiting + waiting_count));
            feed();
        } else if (!strcmp(word, "poll")) {
            wire_session_poll(&session);
            feed();
        } else if (!strcmp(word, "room")) {
            room = number;
        } else if (!strcmp(word, "later")) {
            later = number;
        } else if (!strcmp(word, "credit")) {
            session.credit = number;
        } else if (!strcmp(word, "overruns")) {
            overruns = number;
        } else if (!strcmp(word, "boot")) {
            start(number);
        } else if (!strcmp(word, "send")) {
            uint8_t payload[256];
            char *hex = strchr(line + used + 1, ' ');
            uint8_t length = (uint8_t)(hex ? read_hex(hex + 1, payload) : 0);
            uint8_t *room_for_it = wire_session_reserve(&session, length);
            if (room_for_it) {
                memcpy(room_for_it, payload, length);
                wire_session_send(&session, (uint8_t)number, length);
            }
            printf("sent %d\n", room_for_it != NULL);
        } else if (!strcmp(word, "ack")) {
            wire_session_acknowledge(&session);
        } else if (!strcmp(word, "close")) {
            wire_session_close(&session);
        } else {
            fprintf(stderr, "unknown command: %s", line);
            return 2;
        }
    }
    return 0;
}
