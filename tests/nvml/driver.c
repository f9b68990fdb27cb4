/* An NVIDIA driver's libnvidia-ml.so.1 for machines that have none: it answers what the file named by
 * NVML_STATE says at that moment, so that a test can change the machine under a running program.
 *
 * One line a GPU:
 *   uuid=GPU-1 name=NVIDIA_A used=1024 total=81920 util=45 power=350000 limit=700000 temp=61 energy=1200 procs=12:300,34:- throttle=32
 * A key that is absent is "not supported". A line with the word lost is a GPU that fell off the bus.
 * A line init=CODE makes nvmlInit fail with that code.
 * throttle is told as drivers from 535 on do, old-throttle as those before. What the driver keeps for
 * itself, reserved, is used memory to the first of its memory calls, and not to the second, which drivers
 * before 510 don't have: a line without it is of such a one.
 * Units are NVML's but for memory, which is in MiB. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, INVALID = 2, UNSUPPORTED = 3, SMALL = 7, MISSING = 13, LOST = 15 };
enum { GPUS = 16, LINE = 4096 };
typedef unsigned long long bytes;

static char lines[GPUS][LINE];
static int init_code;

static int read_state(void) {
    int count = 0;
    char line[LINE];
    const char *path = getenv("NVML_STATE");
    FILE *file = path ? fopen(path, "r") : NULL;
    init_code = OK;
    while (file && count < GPUS && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "init=", 5)) init_code = atoi(line + 5);
        else if (line[0]) strcpy(lines[count++], line);
    }
    if (file) fclose(file);
    return count;
}

/* A handle is the GPU's number and one more. */
static int find(void *device, const char *key, char *value) {
    int count = read_state(), index = (int)(long)device - 1;
    if (index < 0 || index >= count) return INVALID;
    if (strstr(lines[index], "lost")) return LOST;
    char copy[LINE], *rest = copy;
    strcpy(copy, lines[index]);
    for (char *word; (word = strsep(&rest, " "));) {
        size_t length = strlen(key);
        if (!strncmp(word, key, length) && word[length] == '=') {
            strcpy(value, word + length + 1);
            return OK;
        }
    }
    return UNSUPPORTED;
}

static int number(void *device, const char *key, bytes *value) {
    char text[LINE];
    int code = find(device, key, text);
    if (code == OK) *value = strtoull(text, NULL, 10);
    return code;
}

static int small(void *device, const char *key, unsigned *value) {
    bytes wide = 0;
    int code = number(device, key, &wide);
    if (code == OK) *value = (unsigned)wide;
    return code;
}

static int text(void *device, const char *key, char *value, unsigned length) {
    char found[LINE];
    int code = find(device, key, found);
    if (code != OK) return code;
    for (char *c = found; *c; c++) if (*c == '_') *c = ' ';
    snprintf(value, length, "%s", found);
    return OK;
}

int nvmlInitWithFlags(unsigned flags) { (void)flags; read_state(); return init_code; }
int nvmlShutdown(void) { return OK; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = (unsigned)read_state(); return OK; }

int nvmlSystemGetDriverVersion(char *value, unsigned length) {
    snprintf(value, length, "570.86.15");
    return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    if (index >= (unsigned)read_state()) return INVALID;
    *device = (void *)(long)(index + 1);
    return OK;
}

const char *nvmlErrorString(int code) {
    switch (code) {
    case OK: return "Success";
    case UNSUPPORTED: return "Not Supported";
    case LOST: return "GPU is lost";
    case 9: return "Driver Not Loaded";
    case 18: return "Driver/library version mismatch";
    default: return "Unknown Error";
    }
}

int nvmlDeviceGetUUID(void *device, char *value, unsigned length) { return text(device, "uuid", value, length); }
int nvmlDeviceGetName(void *device, char *value, unsigned length) { return text(device, "name", value, length); }
int nvmlDeviceGetPowerUsage(void *device, unsigned *value) { return small(device, "power", value); }
int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *value) { return small(device, "limit", value); }

int nvmlDeviceGetTotalEnergyConsumption(void *device, bytes *value) { return number(device, "energy", value); }

int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *value) {
    (void)sensor;
    return small(device, "temp", value);
}

int nvmlDeviceGetCurrentClocksEventReasons(void *device, bytes *value) { return number(device, "throttle", value); }
int nvmlDeviceGetCurrentClocksThrottleReasons(void *device, bytes *value) { return number(device, "old-throttle", value); }

struct rates { unsigned gpu, memory; };
int nvmlDeviceGetUtilizationRates(void *device, struct rates *value) {
    value->memory = 0;
    return small(device, "util", &value->gpu);
}

struct memory { bytes total, free, used; };
int nvmlDeviceGetMemoryInfo(void *device, struct memory *value) {
    bytes total, used;
    bytes reserved = 0;
    int code = number(device, "total", &total);
    if (code == OK) code = number(device, "used", &used);
    if (code != OK) return code;
    number(device, "reserved", &reserved);
    used += reserved;
    *value = (struct memory){total << 20, (total - used) << 20, used << 20};
    return OK;
}

struct memory_v2 { unsigned version; bytes total, reserved, free, used; };
int nvmlDeviceGetMemoryInfo_v2(void *device, struct memory_v2 *value) {
    bytes total, used, reserved;
    int code = number(device, "reserved", &reserved);
    if (code == UNSUPPORTED) return MISSING;
    if (code == OK) code = number(device, "total", &total);
    if (code == OK) code = number(device, "used", &used);
    if (code != OK) return code;
    *value = (struct memory_v2){value->version, total << 20, reserved << 20, (total - used - reserved) << 20, used << 20};
    return OK;
}

struct process { unsigned pid; bytes memory; unsigned gpu_instance, compute_instance; };
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, struct process *found) {
    char list[LINE], *rest = list;
    unsigned room = *count, seen = 0;
    int code = find(device, "procs", list);
    if (code != OK) return code;
    for (char *word; (word = strsep(&rest, ","));) {
        char *colon = strchr(word, ':');
        if (!colon) continue;
        if (seen < room && found) {
            bytes memory = colon[1] == '-' ? (bytes)-1 : strtoull(colon + 1, NULL, 10) << 20;
            found[seen] = (struct process){(unsigned)atoi(word), memory, -1u, -1u};
        }
        seen++;
    }
    *count = seen;
    return seen > room ? SMALL : OK;
}
