#pragma once
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

/* Connections, and responses that are held back. */
typedef struct { int socket; Text in, out; size_t sent; int closed; } Connection;
typedef struct Held { double due; Connection *to; Text bytes; struct Held *next; } Held;

static Held *first_held, *last_held;
static double latency;
static int events;

static double now(void) {
  struct timespec clock;
  clock_gettime(CLOCK_MONOTONIC, &clock);
  return (double)clock.tv_sec + (double)clock.tv_nsec / 1e9;
}

static void send_out(Connection *to) {
  while (to->sent < to->out.length) {
    ssize_t count = write(to->socket, to->out.at + to->sent, to->out.length - to->sent);
    if (count < 0) {
      to->closed |= errno != EAGAIN;
      break;
    }
    to->sent += (size_t)count;
  }
  if (to->sent == to->out.length) to->sent = to->out.length = 0;
  struct epoll_event event = {.events = EPOLLIN | (to->out.length ? EPOLLOUT : 0)};
  event.data.ptr = to;
  epoll_ctl(events, EPOLL_CTL_MOD, to->socket, &event);
}

/* A request. Its method, path and headers end with a zero byte each. */
typedef struct { char *method, *bucket, *key, *query, *headers, *body; size_t length; } Request;

/* The value of a parameter: empty without one, NULL where it is absent. */
static char *parameter(Request *request, const char *name, char *value) {
  size_t length = strlen(name);
  for (char *at = request->query; at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
    if (strncmp(at, name, length) || (at[length] && !strchr("=&", at[length]))) continue;
    at += length + (at[length] == '=');
    snprintf(value, MAX_TEXT, "%.*s", (int)strcspn(at, "&"), at);
    decode_url(value, 1);
    return value;
  }
  return NULL;
}

static long number(Request *request, const char *name, long otherwise) {
  char value[MAX_TEXT];
  return parameter(request, name, value) ? atol(value) : otherwise;
}

static char *header(const char *headers, const char *name, char *value) {
  size_t length = strlen(name);
  for (const char *at = headers; at; at = strstr(at, "\r\n") ? strstr(at, "\r\n") + 2 : NULL) {
    if (strncasecmp(at, name, length) || at[length] != ':') continue;
    at += length + 1;
    at += strspn(at, " ");
    snprintf(value, MAX_TEXT, "%.*s", (int)strcspn(at, "\r"), at);
    strip_quotes(value);
    return value;
  }
  return NULL;
}

static const char PROLOG[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/* size: that of the object that a HEAD is about; -1 for other requests. */
static void respond(Connection *to, int status, const char *fields, Text *body, long size) {
  Text all = {0};
  print(&all, "HTTP/1.1 %d %s\r\nServer: benchmark\r\nx-amz-request-id: 1\r\n", status,
        status < 300 ? "OK" : "Error");
  time_t seconds = time(NULL);
  char date[64];
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&seconds));
  print(&all, "Date: %s\r\n%s", date, fields);
  size_t length = body ? body->length : 0;
  if (status != 204) print(&all, "Content-Length: %ld\r\n", size >= 0 ? size : (long)length);
  append(&all, "\r\n", 2);
  if (length) append(&all, body->at, length);
  if (latency > 0) {
    Held *held = calloc(1, sizeof *held);
    *held = (Held){now() + latency, to, all, NULL};
    if (first_held) last_held->next = held;
    else first_held = held;
    last_held = held;
    return;
  }
  append(&to->out, all.at, all.length);
  free(all.at);
}

static void respond_xml(Connection *to, int status, Text *body) {
  respond(to, status, "Content-Type: application/xml\r\n", body, -1);
  free(body->at);
}

static void fail(Connection *to, Request *request, int status, const char *code) {
  if (!strcmp(request->method, "HEAD")) {
    respond(to, status, "", NULL, 0);
    return;
  }
  Text body = {0};
  print(&body, "%s<Error><Code>%s</Code><Message>%s</Message></Error>", PROLOG, code, code);
  respond_xml(to, status, &body);
}

/* What was asked for since the counts were read. */
static struct { const char *operation; long count; } counts[16];

static void count(const char *operation) {
  int i = 0;
  while (counts[i].operation && counts[i].operation != operation) i++;
  counts[i].operation = operation;
  counts[i].count++;
}

static void print_counts(Text *body) {
  append(body, "{", 1);
  for (int i = 0; counts[i].operation; i++)
    print(body, "%s\"%s\": %ld", i ? ", " : "", counts[i].operation, counts[i].count);
  append(body, "}", 1);
  memset(counts, 0, sizeof counts);
}
