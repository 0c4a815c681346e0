/* Reads ELF files and Intel hex. main.c and the library load the chip with it; the profile asks for symbols. */
#include "image.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EEPROM_SPACE 0x810000u     /* the linker adds this to addresses in the EEPROM */
#define MOST_FILE_BYTES (16u << 20)

_Noreturn static void fail(const char *path, const char *what)
{
    fprintf(stderr, "mtjlearn-uno-sim: %s %s\n", path, what);
    exit(1);
}

void image_init(struct image *image)
{
    memset(image->flash, 0xff, sizeof image->flash);
    memset(image->eeprom, 0xff, sizeof image->eeprom);
    image->reset_address = 0;
    image->symbols = NULL;
    image->symbol_count = 0;
}

static void place(struct image *image, const char *path, uint32_t address, const uint8_t *bytes, uint32_t count)
{
    uint8_t *memory = image->flash;
    uint32_t size = FLASH_BYTES;
    if (address >= EEPROM_SPACE) {
        memory = image->eeprom;
        size = EEPROM_BYTES;
        address -= EEPROM_SPACE;
    }
    if (address > size || count > size - address)
        fail(path, "does not fit into the chip's memory");
    memcpy(memory + address, bytes, count);
}

/* --- ELF --- */

struct file {
    const char *path;
    uint8_t *bytes;
    uint32_t size;
};

static struct file read_file(const char *path)
{
    struct file file = {.path = path, .bytes = malloc(MOST_FILE_BYTES)};
    FILE *stream = fopen(path, "rb");
    if (!stream || !file.bytes)
        fail(path, "cannot be read");
    file.size = (uint32_t)fread(file.bytes, 1, MOST_FILE_BYTES, stream);
    fclose(stream);
    return file;
}

static const void *part(const struct file *file, uint32_t offset, uint32_t size)
{
    if (offset > file->size || size > file->size - offset)
        fail(file->path, "is damaged: it ends too early");
    return file->bytes + offset;
}

static void load_segments(struct image *image, const struct file *file, const Elf32_Ehdr *header)
{
    for (uint32_t i = 0; i < header->e_phnum; i++) {
        Elf32_Phdr segment;
        memcpy(&segment, part(file, header->e_phoff + i * header->e_phentsize, sizeof segment), sizeof segment);
        if (segment.p_type == PT_LOAD && segment.p_filesz)
            place(image, file->path, segment.p_paddr, part(file, segment.p_offset, segment.p_filesz), segment.p_filesz);
    }
}

static Elf32_Shdr section(const struct file *file, const Elf32_Ehdr *header, uint32_t index)
{
    Elf32_Shdr found;
    memcpy(&found, part(file, header->e_shoff + index * header->e_shentsize, sizeof found), sizeof found);
    return found;
}

static void load_symbols(struct image *image, const struct file *file, const Elf32_Ehdr *header, const Elf32_Shdr *table)
{
    Elf32_Shdr names = section(file, header, table->sh_link);
    uint32_t count = table->sh_size / (uint32_t)sizeof(Elf32_Sym);
    image->symbols = calloc(count, sizeof *image->symbols);
    if (!image->symbols)
        fail(file->path, "has too many symbols");
    for (uint32_t i = 0; i < count; i++) {
        Elf32_Sym symbol;
        memcpy(&symbol, part(file, table->sh_offset + i * (uint32_t)sizeof symbol, sizeof symbol), sizeof symbol);
        if (symbol.st_name >= names.sh_size)
            fail(file->path, "is damaged: a symbol has no name");
        uint32_t most = names.sh_size - symbol.st_name;
        const char *name = part(file, names.sh_offset + symbol.st_name, most);
        image->symbols[image->symbol_count++] = (struct symbol){.name = strndup(name, most), .address = symbol.st_value};
    }
}

void image_load_elf(struct image *image, const char *path)
{
    struct file file = read_file(path);
    Elf32_Ehdr header;
    if (file.size < sizeof header || memcmp(file.bytes, ELFMAG, SELFMAG) != 0)
        fail(path, "is not an ELF file");
    memcpy(&header, file.bytes, sizeof header);
    if (header.e_machine != EM_AVR || header.e_ident[EI_CLASS] != ELFCLASS32)
        fail(path, "is not a program for an AVR");
    load_segments(image, &file, &header);
    for (uint32_t i = 0; i < header.e_shnum; i++) {
        Elf32_Shdr table = section(&file, &header, i);
        if (table.sh_type == SHT_SYMTAB)
            load_symbols(image, &file, &header, &table);
    }
    free(file.bytes);
}

bool image_symbol(const struct image *image, const char *name, uint32_t *address)
{
    for (uint32_t i = 0; i < image->symbol_count; i++)
        if (image->symbols[i].name && strcmp(image->symbols[i].name, name) == 0) {
            *address = image->symbols[i].address;
            return true;
        }
    return false;
}

/* --- Intel hex --- */

#define HEX_DATA 0
#define HEX_END 1
#define HEX_MOST 255

/* Decodes ":LLAAAATT...CC"; returns the number of data bytes, or -1. */
static int decode_record(const char *line, uint8_t *type, uint16_t *address, uint8_t *data)
{
    uint8_t bytes[HEX_MOST + 5];
    unsigned count = 0, byte, sum = 0;
    if (line[0] != ':')
        return -1;
    for (const char *at = line + 1; count < sizeof bytes && sscanf(at, "%2x", &byte) == 1; at += 2) {
        bytes[count++] = (uint8_t)byte;
        sum += byte;
    }
    if (count < 5 || count != bytes[0] + 5u || (sum & 0xffu) != 0)
        return -1;
    *address = (uint16_t)(bytes[1] << 8 | bytes[2]);
    *type = bytes[3];
    memcpy(data, bytes + 4, bytes[0]);
    return bytes[0];
}

uint32_t image_load_hex(struct image *image, const char *path)
{
    char line[2 * HEX_MOST + 16];
    uint8_t data[HEX_MOST], type = HEX_DATA;
    uint16_t address = 0;
    uint32_t lowest = FLASH_BYTES;
    FILE *file = fopen(path, "r");
    if (!file)
        fail(path, "cannot be read");
    while (type != HEX_END && fgets(line, sizeof line, file)) {
        int count = decode_record(line, &type, &address, data);
        if (count < 0)
            fail(path, "is not an Intel hex file, or damaged");
        if (type == HEX_DATA) {
            place(image, path, address, data, (uint32_t)count);
            lowest = address < lowest ? address : lowest;
        }
    }
    fclose(file);
    if (type != HEX_END)
        fail(path, "is damaged: it ends too early");
    return lowest;
}
