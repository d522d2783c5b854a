#pragma once
#include <stdlib.h>
#include <string.h>

#include "buckets.h"
#include "http.h"
#include "text.h"

enum { PAGE = 1000 };

static const char SPACE[] = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

static void print_key(Text *page, const char *key, int url) {
  if (url) print_url(page, key);
  else print_xml(page, key);
}

static void list(Connection *to, Request *request, Bucket *bucket) {
  char prefix[MAX_TEXT] = "", delimiter[MAX_TEXT] = "", from[MAX_TEXT] = "", last[MAX_TEXT] = "";
  char word[MAX_TEXT];
  int is_v2 = parameter(request, "list-type", word) != NULL;
  int url = parameter(request, "encoding-type", word) != NULL;
  long most = number(request, "max-keys", PAGE), listed = 0;
  count(is_v2 ? "ListObjectsV2" : "ListObjects");
  parameter(request, "prefix", prefix);
  parameter(request, "delimiter", delimiter);
  if (!parameter(request, is_v2 ? "continuation-token" : "marker", from))
    parameter(request, "start-after", from);
  sort(bucket);
  size_t length = strlen(prefix);
  size_t i = strcmp(from, prefix) > 0 ? position(bucket, from, 0) : position(bucket, prefix, 1);
  Text page = {0}, folders = {0};
  print(&page, "%s<ListBucketResult %s><Name>%s</Name><Prefix>", PROLOG, SPACE, bucket->name);
  print_key(&page, prefix, url);
  print(&page, "</Prefix><MaxKeys>%ld</MaxKeys>%s", most,
        url ? "<EncodingType>url</EncodingType>" : "");
  int is_truncated = 0;
  while (i < bucket->sorted_count && !strncmp(bucket->sorted[i]->key, prefix, length)) {
    Object *object = bucket->sorted[i++];
    char *end = *delimiter ? strstr(object->key + length, delimiter) : NULL;
    size_t folder = end ? (size_t)(end - object->key) + strlen(delimiter) : 0;
    /* A page may have ended with this folder. */
    int is_listed = folder && !strncmp(from, object->key, folder);
    if (!object->exists || is_listed) continue;
    if (listed == most) {
      is_truncated = 1;
      break;
    }
    listed++;
    if (folder) {
      snprintf(last, sizeof last, "%.*s", (int)folder, object->key);
      print(&folders, "<CommonPrefixes><Prefix>");
      print_key(&folders, last, url);
      print(&folders, "</Prefix></CommonPrefixes>");
      while (i < bucket->sorted_count && !strncmp(bucket->sorted[i]->key, last, folder)) i++;
      continue;
    }
    snprintf(last, sizeof last, "%s", object->key);
    append(&page, "<Contents><Key>", 15);
    print_key(&page, object->key, url);
    print(&page, "</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;%s&quot;"
          "</ETag><Size>%ld</Size><StorageClass>STANDARD</StorageClass></Contents>",
          object->etag, object->size);
  }
  if (folders.length) append(&page, folders.at, folders.length);
  free(folders.at);
  print(&page, "<IsTruncated>%s</IsTruncated>", is_truncated ? "true" : "false");
  if (is_v2) print(&page, "<KeyCount>%ld</KeyCount>", listed);
  const char *tag = is_v2 ? "NextContinuationToken" : "NextMarker";
  if (is_truncated) {
    print(&page, "<%s>", tag);
    print_key(&page, last, url && !is_v2);
    print(&page, "</%s>", tag);
  }
  print(&page, "</ListBucketResult>");
  respond_xml(to, 200, &page);
}
