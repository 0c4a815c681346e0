/* Asks the simulated chip what the data sheet says about it. Each byte received is a command; answers are little-endian words. */
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/wdt.h>

#define ORDER 8

static volatile uint8_t order[ORDER], ran;
static uint8_t cause __attribute__((section(".noinit")));
static uint16_t starts __attribute__((section(".noinit")));

__attribute__((naked, used, section(".init3"))) static void begin(void)
{
    __asm__ volatile("in r24, %0\n\tsts %1, r24\n\tout %0, r1" : : "I"(_SFR_IO_ADDR(MCUSR)), "i"(&cause) : "r24");
    wdt_disable();
}

static void note(uint8_t vector)
{
    if (ran < ORDER)
        order[ran++] = vector;
}

ISR(TIMER1_OVF_vect) { note(13); TIMSK1 = 0; }
ISR(USART_RX_vect) { note(18); UCSR0B &= (uint8_t)~(1 << RXCIE0); }
ISR(USART_UDRE_vect) { note(19); UCSR0B &= (uint8_t)~(1 << UDRIE0); }
ISR(ADC_vect) { note(21); ADCSRA &= (uint8_t)~(1 << ADIE); }
ISR(EE_READY_vect) { note(22); EECR &= (uint8_t)~(1 << EERIE); }
/* Nothing but its own entry and return: 4 + 3 (vector's jump) + 4 cycles. */
ISR(TIMER0_OVF_vect, ISR_NAKED) { __asm__ volatile("reti"); }

static uint8_t get(void)
{
    while (!(UCSR0A & (1 << RXC0)))
        ;
    return UDR0;
}

static void put(uint8_t byte)
{
    while (!(UCSR0A & (1 << UDRE0)))
        ;
    UDR0 = byte;
}

static void word(uint16_t value)
{
    put((uint8_t)value);
    put((uint8_t)(value >> 8));
}

static void delay(uint16_t rounds) /* 4 cycles each */
{
    __asm__ volatile("1: sbiw %0, 1\n\tbrne 1b" : "+w"(rounds));
}

/* Bytes of the command's tail arrive meanwhile; then what the receiver kept, each with its UCSR0A. */
static void leave_unread(void)
{
    for (uint8_t i = 0; i < 5; i++)
        delay(10000);
    uint8_t flags[4], bytes[4], count = 0;
    while (UCSR0A & (1 << RXC0)) {
        flags[count] = UCSR0A;
        bytes[count++] = UDR0;
    }
    put(count);
    for (uint8_t i = 0; i < count; i++) {
        put(flags[i]);
        put(bytes[i]);
    }
}

/* Cycles from one of two back-to-back bytes to the other, received and sent. */
static void measure_line(void)
{
    get();
    uint16_t first = TCNT1;
    get();
    uint16_t received = TCNT1 - first;
    delay(2000);                  /* the transmitter is idle */
    UDR0 = 0;
    UDR0 = 0;
    while (!(UCSR0A & (1 << UDRE0)))
        ;
    UDR0 = 0;
    first = TCNT1;
    while (!(UCSR0A & (1 << UDRE0)))
        ;
    uint16_t sent = TCNT1 - first;
    word(received);
    word(sent);
}

/* A conversion: reference and channel, then the code. */
static void convert(void)
{
    ADMUX = get();
    ADCSRA = (1 << ADEN) | (1 << ADSC) | 7;
    while (ADCSRA & (1 << ADSC))
        ;
    word(ADC);
    ADCSRA = 0;
}

/* Cycles of 16 conversions in free running, with this prescaler. */
static void measure_conversions(void)
{
    ADMUX = 0xc0;
    ADCSRA = (uint8_t)((1 << ADEN) | (1 << ADSC) | (1 << ADATE) | get());
    uint16_t cycles = 0, last = 0;
    for (uint8_t i = 0; i < 18; i++) {
        ADCSRA |= 1 << ADIF;
        while (!(ADCSRA & (1 << ADIF)))
            ;
        uint16_t now = TCNT1;
        if (i > 1)
            cycles += now - last;
        last = now;
    }
    ADCSRA = 0;
    word(cycles);
}

/* Writes a byte; the time that takes in units of 16 cycles; then reads it again. */
static void write_eeprom(void)
{
    EEAR = get();
    EEDR = get();
    EECR |= 1 << EEMPE;
    EECR |= 1 << EEPE;
    uint16_t rounds = 0;
    for (; EECR & (1 << EEPE); rounds++)
        delay(4);
    word(rounds);
    EEDR = 0;
    EECR |= 1 << EERE;
    put(EEDR);
}

static void read_eeprom(void)
{
    EEAR = get();
    EECR |= 1 << EERE;
    put(EEDR);
}

/* Five interrupts become due while none is taken; in which order do they run? */
static void race(void)
{
    ran = 0;
    ADMUX = 0xc0;
    ADCSRA = (1 << ADEN) | (1 << ADSC) | (1 << ADIE) | 2;
    TIFR1 = 1 << TOV1;
    TIMSK1 = 1 << TOIE1;
    EECR |= 1 << EERIE;
    delay(20000);
    UCSR0B |= (1 << UDRIE0) | (1 << RXCIE0);
    sei();
    delay(100);
    cli();
    get();                        /* the byte that raised the receiver's */
    put(ran);
    for (uint8_t i = 0; i < ran; i++)
        put(order[i]);
}

int main(void)
{
    if (cause & (1 << PORF))
        starts = 0;
    starts++;
    UBRR0 = 3;
    UCSR0B = (1 << RXEN0) | (1 << TXEN0);
    TCCR1B = 1 << CS10;
    for (;;) {
        switch (get()) {
        case 'u':
            leave_unread();
            break;
        case 'l':
            measure_line();
            break;
        case 'c':
            convert();
            break;
        case 'p':
            measure_conversions();
            break;
        case 'w':
            write_eeprom();
            break;
        case 'r':
            read_eeprom();
            break;
        case 'i':
            race();
            break;
        case 's':                 /* why and how often it started */
            put(cause);
            word(starts);
            break;
        case 'd':                 /* the shortest period, then a longer one without feeding, then a hang */
            wdt_enable(WDTO_15MS);
            __asm__ volatile("sts %0, %1\n\tsts %0, %2" : : "n"(_SFR_MEM_ADDR(WDTCSR)), "r"((uint8_t)0x18), "r"((uint8_t)0x0b));
            TCCR1B = 5;           /* 1,024 cycles a tick */
            TCNT1 = 0;
            for (starts = 0;;)
                starts = TCNT1;   /* the ticks until it bites, and 1 */
        case 't':                 /* timer 0 overflows every 256 cycles */
            TIMSK0 = 1 << TOIE0;
            TCCR0B = 1 << CS00;
            sei();
            delay(10000);
            cli();
            TIMSK0 = 0;
            put(0);
            break;
        case 'm':                 /* RAM that nobody has written */
            for (uint8_t i = 0; i < 64; i++)
                put(*(volatile uint8_t *)(0x400 + i));
            break;
        default:
            put('?');
        }
    }
}
