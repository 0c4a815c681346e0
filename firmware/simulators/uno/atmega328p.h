/* Registers of the ATmega328P that the simulated peripherals own. Addresses are those of the data space. Source: Atmel DS40002061,
 * register summary. */
#ifndef ATMEGA328P_H
#define ATMEGA328P_H

#define CLOCK_HZ 16000000u        /* the Uno's crystal */
#define INTERRUPT_ENTRY_CYCLES 4u /* before the instruction in the vector table; simavr counts none */

#define FLASH_BYTES 0x8000u
#define EEPROM_BYTES 0x400u
#define RAM_START 0x100u
#define RAM_END 0x8ffu

#define EECR 0x3f
#define EERE 0x01u
#define EEPE 0x02u
#define EEMPE 0x04u
#define EERIE 0x08u
#define EEPM 0x30u                /* 0: erase and write, 1: erase, 2: write */
#define EEPM_SHIFT 4
#define EEDR 0x40
#define EEARL 0x41
#define EEARH 0x42

#define MCUSR 0x54
#define PORF 0x01u
#define EXTRF 0x02u
#define WDRF 0x08u

#define WDTCSR 0x60
#define WDIF 0x80u
#define WDIE 0x40u
#define WDP3 0x20u
#define WDCE 0x10u
#define WDE 0x08u
#define WDP 0x07u

#define ADCL 0x78
#define ADCH 0x79
#define ADCSRA 0x7a
#define ADEN 0x80u
#define ADSC 0x40u
#define ADATE 0x20u
#define ADIF 0x10u
#define ADPS 0x07u
#define ADCSRB 0x7b
#define ADTS 0x07u
#define ADMUX 0x7c
#define REFS_SHIFT 6
#define ADLAR 0x20u
#define ADC_MUX 0x0fu

#define UCSR0A 0xc0
#define RXC0 0x80u
#define TXC0 0x40u
#define UDRE0 0x20u
#define DOR0 0x08u
#define U2X0 0x02u
#define MPCM0 0x01u
#define UCSR0B 0xc1
#define RXCIE0 0x80u
#define TXCIE0 0x40u
#define UDRIE0 0x20u
#define RXEN0 0x10u
#define TXEN0 0x08u
#define UCSZ02 0x04u
#define RXB80 0x02u
#define UCSR0C 0xc2
#define UPM01 0x20u
#define USBS0 0x08u
#define UCSZ0_SHIFT 1
#define UBRR0L 0xc4
#define UBRR0H 0xc5
#define UDR0 0xc6

enum {
    VECTOR_WATCHDOG = 6,
    VECTOR_TIMER2_FIRST = 7,
    VECTOR_TIMER1_FIRST = 10,
    VECTOR_TIMER0_FIRST = 14,
    VECTOR_SPI = 17,
    VECTOR_USART_RX = 18,
    VECTOR_USART_UDRE = 19,
    VECTOR_USART_TX = 20,
    VECTOR_ADC = 21,
    VECTOR_EE_READY = 22,
    VECTORS = 26,
};

#endif
