#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Buckets: a hash table each, sorted again for the first listing after a change. */
typedef struct { char *key; long size; char etag[40]; int exists; } Object;
typedef struct {
  char name[64];
  Object **table, **sorted;
  size_t capacity, count, sorted_count;
  int changed;
} Bucket;

static Bucket buckets[16];
static int bucket_count;

static Bucket *find_bucket(const char *name, int make) {
  for (int i = 0; i < bucket_count; i++)
    if (!strcmp(buckets[i].name, name)) return &buckets[i];
  if (!make || bucket_count == 16) return NULL;
  Bucket *bucket = &buckets[bucket_count++];
  snprintf(bucket->name, sizeof bucket->name, "%s", name);
  bucket->capacity = 1 << 12;
  bucket->table = calloc(bucket->capacity, sizeof(Object *));
  return bucket;
}

static size_t slot_of(Bucket *bucket, const char *key) {
  uint64_t hash = 1469598103934665603ULL; /* FNV-1a */
  for (const char *c = key; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211ULL;
  size_t slot = hash & (bucket->capacity - 1);
  while (bucket->table[slot] && strcmp(bucket->table[slot]->key, key))
    slot = (slot + 1) & (bucket->capacity - 1);
  return slot;
}

static Object *find(Bucket *bucket, const char *key) {
  Object *object = bucket->table[slot_of(bucket, key)];
  return object && object->exists ? object : NULL;
}

static void grow(Bucket *bucket) {
  Object **old = bucket->table;
  size_t capacity = bucket->capacity;
  bucket->capacity *= 4;
  bucket->table = calloc(bucket->capacity, sizeof(Object *));
  for (size_t i = 0; i < capacity; i++)
    if (old[i]) bucket->table[slot_of(bucket, old[i]->key)] = old[i];
  free(old);
}

static void put(Bucket *bucket, const char *key, long size, const char *etag) {
  if ((bucket->count + 1) * 2 > bucket->capacity) grow(bucket);
  size_t slot = slot_of(bucket, key);
  Object *object = bucket->table[slot];
  if (!object) {
    object = bucket->table[slot] = calloc(1, sizeof *object);
    object->key = strdup(key);
    bucket->count++;
  }
  bucket->changed |= !object->exists;
  object->size = size;
  object->exists = 1;
  snprintf(object->etag, sizeof object->etag, "%s", etag);
}

static int compare(const void *one, const void *other) {
  return strcmp((*(Object *const *)one)->key, (*(Object *const *)other)->key);
}

static void sort(Bucket *bucket) {
  if (!bucket->changed) return;
  bucket->sorted = realloc(bucket->sorted, (bucket->count + 1) * sizeof(Object *));
  bucket->sorted_count = 0;
  for (size_t i = 0; i < bucket->capacity; i++)
    if (bucket->table[i] && bucket->table[i]->exists)
      bucket->sorted[bucket->sorted_count++] = bucket->table[i];
  qsort(bucket->sorted, bucket->sorted_count, sizeof(Object *), compare);
  bucket->changed = 0;
}

/* The first sorted object after a key, or at it. */
static size_t position(Bucket *bucket, const char *key, int inclusive) {
  size_t low = 0, high = bucket->sorted_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int order = strcmp(bucket->sorted[middle]->key, key);
    if (order < 0 || (order == 0 && !inclusive)) low = middle + 1;
    else high = middle;
  }
  return low;
}
