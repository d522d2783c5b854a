#pragma once
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 8192 };

/* Text that grows. */
typedef struct { char *at; size_t length, capacity; } Text;

static void append(Text *text, const char *bytes, size_t length) {
  if (text->length + length + 1 > text->capacity) {
    text->capacity = (text->capacity + length + 1) * 2;
    text->at = realloc(text->at, text->capacity);
  }
  memcpy(text->at + text->length, bytes, length);
  text->length += length;
  text->at[text->length] = 0;
}

static void print(Text *text, const char *format, ...) {
  char line[MAX_TEXT];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  append(text, line, length < MAX_TEXT ? (size_t)length : MAX_TEXT - 1);
}

static void print_xml(Text *text, const char *value) {
  for (; *value; value++) {
    if (*value == '&') append(text, "&amp;", 5);
    else if (*value == '<') append(text, "&lt;", 4);
    else if (*value == '>') append(text, "&gt;", 4);
    else append(text, value, 1);
  }
}

static void print_url(Text *text, const char *value) {
  for (; *value; value++) {
    unsigned char c = (unsigned char)*value;
    int plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || strchr("-_.~/", c)) append(text, value, 1);
    else print(text, "%%%02X", c);
  }
}

static int hex(int c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; }

static void decode_url(char *value, int plus_is_space) {
  char *end = value;
  for (; *value; value++) {
    if (*value == '%' && value[1] && value[2]) {
      *end++ = (char)(hex(value[1]) * 16 + hex(value[2]));
      value += 2;
    } else *end++ = plus_is_space && *value == '+' ? ' ' : *value;
  }
  *end = 0;
}

static void decode_xml(char *value) {
  static const struct { const char *entity; char c; } entities[] = {
    {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#34;", '"'},
    {"&apos;", '\''}, {"&#39;", '\''},
  };
  char *end = value;
  while (*value) {
    size_t i = 0, count = sizeof entities / sizeof *entities;
    while (i < count && strncmp(value, entities[i].entity, strlen(entities[i].entity))) i++;
    if (*value == '&' && i < count) {
      *end++ = entities[i].c;
      value += strlen(entities[i].entity);
    } else *end++ = *value++;
  }
  *end = 0;
}

static void strip_quotes(char *value) {
  size_t length = strlen(value);
  if (length < 2 || value[0] != '"' || value[length - 1] != '"') return;
  memmove(value, value + 1, length - 2);
  value[length - 2] = 0;
}
