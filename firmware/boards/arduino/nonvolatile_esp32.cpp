/* The flash of an ESP32: the data partition that the core's partition tables keep for a file system, unused here. While it is erased or
 * written the UART is not served: what its FIFO cannot hold is lost, counted, and sent again by the host. */
#include "capabilities.h"

#ifdef NONVOLATILE_ESP32

#include <esp_partition.h>

#include "nonvolatile.h"

#define BLOCK_BYTES 4096              /* what the flash erases at once */
#define MOST_BLOCKS 8

static const esp_partition_t *partition(void)
{
    static const esp_partition_t *found =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_SPIFFS, nullptr);
    return found;
}

static uint32_t place(uint16_t block, uint16_t offset)
{
    return (uint32_t)block * BLOCK_BYTES + offset;
}

uint16_t nonvolatile_blocks(void)
{
    if (!partition())
        return 0;
    uint32_t blocks = partition()->size / BLOCK_BYTES;
    return (uint16_t)(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS);
}

uint16_t nonvolatile_block_bytes(void)
{
    return BLOCK_BYTES;
}

bool nonvolatile_read(uint16_t block, uint16_t offset, void *bytes, uint16_t count)
{
    return esp_partition_read(partition(), place(block, offset), bytes, count) == ESP_OK;
}

bool nonvolatile_program(uint16_t block, uint16_t offset, const void *bytes, uint16_t count)
{
    return esp_partition_write(partition(), place(block, offset), bytes, count) == ESP_OK;
}

bool nonvolatile_erase(uint16_t block)
{
    return esp_partition_erase_range(partition(), place(block, 0), BLOCK_BYTES) == ESP_OK;
}

#endif
