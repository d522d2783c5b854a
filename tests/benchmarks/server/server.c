/* An S3 server in memory for benchmarks: real state and conditions, no signatures, no contents.
 *
 * One thread on epoll. A request costs it 15 to 40 microseconds, so that the client is what is
 * measured. It knows what the measured programs send: listings of both versions with prefix,
 * delimiter and start, HEAD, PUT, CopyObject, DeleteObject and DeleteObjects, each with its
 * conditions. It has no versions and no multipart uploads.
 *
 * Build: cc -O2 -o server server.c. Run: server PORT; it ends when its standard input is closed.
 * The benchmarks control it by GET /-/fill, /-/empty, /-/count (bucket, prefix, count, size),
 * /-/latency (seconds) and /-/requests (the counts since the last time, as JSON).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buckets.h"
#include "http.h"
#include "listing.h"
#include "text.h"

enum { MAX_EVENTS = 512 };

static void fill(Bucket *bucket, const char *prefix, long objects, long size) {
  char key[2 * MAX_TEXT], etag[40];
  snprintf(etag, sizeof etag, "%032lx", (unsigned long)size);
  for (long i = 0; i < objects; i++) {
    /* As in keys.py. */
    snprintf(key, sizeof key, "%s2026/%04ld/report-%08ld.csv", prefix, i / 1000, i);
    put(bucket, key, size, etag);
  }
  /* Now, not during the first listing, which is measured. */
  sort(bucket);
}

/* Counts the objects with a prefix, and removes them if asked to. */
static long walk(Bucket *bucket, const char *prefix, int remove) {
  long found = 0;
  for (size_t i = 0; i < bucket->capacity; i++) {
    Object *object = bucket->table[i];
    if (!object || !object->exists || strncmp(object->key, prefix, strlen(prefix))) continue;
    found++;
    object->exists = !remove;
  }
  bucket->changed |= remove;
  return found;
}

static void control(Connection *to, Request *request) {
  char name[MAX_TEXT] = "", prefix[MAX_TEXT] = "", seconds[MAX_TEXT];
  Text body = {0};
  Bucket *bucket = parameter(request, "bucket", name) ? find_bucket(name, 1) : NULL;
  parameter(request, "prefix", prefix);
  if (!strcmp(request->key, "requests")) print_counts(&body);
  else if (parameter(request, "seconds", seconds)) latency = atof(seconds);
  else if (!strcmp(request->key, "fill"))
    fill(bucket, prefix, number(request, "count", 0), number(request, "size", 1024));
  else if (bucket) print(&body, "%ld", walk(bucket, prefix, !strcmp(request->key, "empty")));
  if (!body.length) append(&body, "null", 4);
  double held = latency;
  latency = 0;
  respond_xml(to, 200, &body);
  latency = held;
}

/* The text of an element, which is cut out of its document. */
static char *element(char *in, const char *open, const char *close) {
  char *start = strstr(in, open), *end = start ? strstr(start, close) : NULL;
  if (!end) return NULL;
  *end = 0;
  start += strlen(open);
  decode_xml(start);
  return start;
}

static void delete_many(Connection *to, Request *request, Bucket *bucket) {
  Text answer = {0};
  int quiet = strstr(request->body, "<Quiet>true</Quiet>") != NULL;
  count("DeleteObjects");
  print(&answer, "%s<DeleteResult %s>", PROLOG, SPACE);
  char *next = request->body;
  while ((next = strstr(next, "<Object>"))) {
    char *item = next, *end = strstr(item, "</Object>");
    if (!end) break;
    *end = 0;
    next = end + 1;
    /* The later element first, as its end is not seen behind that of the earlier one. */
    char *etag = element(item, "<ETag>", "</ETag>"), *key = element(item, "<Key>", "</Key>");
    if (!key) break;
    if (etag) strip_quotes(etag);
    Object *object = find(bucket, key);
    int refused = etag && (!object || strcmp(etag, object->etag));
    if (refused) {
      print(&answer, "<Error><Code>%s</Code><Message>no</Message><Key>",
            object ? "PreconditionFailed" : "NoSuchKey");
      print_xml(&answer, key);
      print(&answer, "</Key></Error>");
      continue;
    }
    if (object) object->exists = 0, bucket->changed = 1;
    if (quiet) continue;
    print(&answer, "<Deleted><Key>");
    print_xml(&answer, key);
    print(&answer, "</Key></Deleted>");
  }
  print(&answer, "</DeleteResult>");
  respond_xml(to, 200, &answer);
}

static void write_object(Connection *to, Request *request, Bucket *bucket) {
  static unsigned long written;
  char from[MAX_TEXT], value[MAX_TEXT], etag[40];
  Object *there = find(bucket, request->key);
  int copies = header(request->headers, "x-amz-copy-source", from) != NULL;
  long size = (long)request->length;
  count(copies ? "CopyObject" : "PutObject");
  if (header(request->headers, "if-match", value) && (!there || strcmp(value, there->etag))) {
    fail(to, request, there ? 412 : 404, there ? "PreconditionFailed" : "NoSuchKey");
    return;
  }
  if (header(request->headers, "if-none-match", value) && there) {
    fail(to, request, 412, "PreconditionFailed");
    return;
  }
  snprintf(etag, sizeof etag, "%032lx", 0xf000000000000000UL + ++written);
  if (copies) {
    char *name = from + (*from == '/');
    name[strcspn(name, "?")] = 0;
    decode_url(name, 0);
    char *key = strchr(name, '/');
    if (key) *key++ = 0;
    Bucket *source = key ? find_bucket(name, 0) : NULL;
    Object *object = source ? find(source, key) : NULL;
    if (!object) {
      fail(to, request, 404, "NoSuchKey");
      return;
    }
    int is_held = header(request->headers, "x-amz-copy-source-if-match", value) != NULL;
    if (is_held && strcmp(value, object->etag)) {
      fail(to, request, 412, "PreconditionFailed");
      return;
    }
    snprintf(etag, sizeof etag, "%s", object->etag);
    size = object->size;
  }
  put(bucket, request->key, size, etag);
  Text body = {0};
  char fields[128] = "";
  if (copies)
    print(&body, "%s<CopyObjectResult %s><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
          "<ETag>&quot;%s&quot;</ETag></CopyObjectResult>", PROLOG, SPACE, etag);
  else snprintf(fields, sizeof fields, "ETag: \"%s\"\r\n", etag);
  respond(to, 200, fields, &body, -1);
  free(body.at);
}

static void read_object(Connection *to, Request *request, Bucket *bucket, int head) {
  char word[MAX_TEXT], fields[256];
  int asks_for_tags = parameter(request, "tagging", word) != NULL;
  count(asks_for_tags ? "GetObjectTagging" : head ? "HeadObject" : "GetObject");
  Object *object = find(bucket, request->key);
  if (!object) {
    fail(to, request, 404, "NoSuchKey");
    return;
  }
  Text body = {0};
  if (asks_for_tags) print(&body, "%s<Tagging><TagSet/></Tagging>", PROLOG);
  snprintf(fields, sizeof fields,
           "ETag: \"%s\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n", object->etag);
  respond(to, 200, fields, &body, head ? object->size : -1);
  free(body.at);
}

static void delete_object(Connection *to, Request *request, Bucket *bucket) {
  char etag[MAX_TEXT];
  Object *object = find(bucket, request->key);
  count("DeleteObject");
  int is_held = header(request->headers, "if-match", etag) != NULL;
  if (is_held && (!object || strcmp(etag, object->etag))) {
    fail(to, request, 412, "PreconditionFailed");
    return;
  }
  if (object) object->exists = 0, bucket->changed = 1;
  respond(to, 204, "", NULL, -1);
}

static void answer_bucket(Connection *to, Request *request, Bucket *bucket) {
  char word[MAX_TEXT];
  Text body = {0};
  if (!strcmp(request->method, "POST")) delete_many(to, request, bucket);
  else if (!strcmp(request->method, "HEAD")) {
    count("HeadBucket");
    respond(to, 200, "x-amz-bucket-region: us-east-1\r\n", NULL, 0);
  } else if (parameter(request, "location", word)) {
    count("GetBucketLocation");
    print(&body, "%s<LocationConstraint %s/>", PROLOG, SPACE);
    respond_xml(to, 200, &body);
  } else if (parameter(request, "versioning", word)) {
    count("GetBucketVersioning");
    print(&body, "%s<VersioningConfiguration/>", PROLOG);
    respond_xml(to, 200, &body);
  } else list(to, request, bucket);
}

static void answer(Connection *to, Request *request) {
  if (!strcmp(request->bucket, "-")) {
    control(to, request);
    return;
  }
  int puts = !strcmp(request->method, "PUT");
  Bucket *bucket = find_bucket(request->bucket, puts && !*request->key);
  if (!bucket) fail(to, request, 404, "NoSuchBucket");
  else if (!*request->key && puts) respond(to, 200, "", NULL, -1);
  else if (!*request->key) answer_bucket(to, request, bucket);
  else if (puts) write_object(to, request, bucket);
  else if (!strcmp(request->method, "DELETE")) delete_object(to, request, bucket);
  else read_object(to, request, bucket, !strcmp(request->method, "HEAD"));
}

/* Reads the request at the start of some bytes, and answers it; its length, 0 if incomplete. */
static size_t take(Connection *from, char *at, size_t length) {
  char *end = memmem(at, length, "\r\n\r\n", 4), *line_end = memmem(at, length, "\r\n", 2);
  if (!end) return 0;
  char value[MAX_TEXT];
  char *headers = line_end + 2;
  end[2] = 0;
  size_t size = header(headers, "content-length", value) ? (size_t)atol(value) : 0;
  size_t whole = (size_t)(end - at) + 4 + size;
  if (length < whole) {
    /* Only a client that has sent nothing else waits for this. */
    if (header(headers, "expect", value) && length == whole - size)
      append(&from->out, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    end[2] = '\r';
    return 0;
  }
  Request request = {.method = at, .query = "", .headers = headers, .length = size};
  char *target = memchr(at, ' ', (size_t)(line_end - at));
  char *version = target ? memchr(target + 1, ' ', (size_t)(line_end - target - 1)) : NULL;
  if (!version) {
    from->closed = 1;
    return whole;
  }
  *target++ = *version = 0;
  char *query = strchr(target, '?');
  if (query) *query++ = 0, request.query = query;
  request.bucket = target + (*target == '/');
  request.key = request.bucket + strcspn(request.bucket, "/");
  if (*request.key) *request.key++ = 0;
  decode_url(request.key, 0);
  request.body = malloc(size + 1);
  memcpy(request.body, end + 4, size);
  request.body[size] = 0;
  answer(from, &request);
  free(request.body);
  return whole;
}

static void receive(Connection *from) {
  char bytes[1 << 16];
  ssize_t length;
  while ((length = read(from->socket, bytes, sizeof bytes)) > 0) {
    append(&from->in, bytes, (size_t)length);
    if (length < (ssize_t)sizeof bytes) break;
  }
  from->closed |= length == 0 || (length < 0 && errno != EAGAIN);
  size_t done = 0, whole = 1;
  while (whole && !from->closed && done < from->in.length) {
    whole = take(from, from->in.at + done, from->in.length - done);
    done += whole;
  }
  memmove(from->in.at, from->in.at + done, from->in.length - done);
  from->in.length -= done;
  if (from->out.length) send_out(from);
}

static void watch(int descriptor, Connection *connection) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event);
}

static void accept_all(int listener) {
  int descriptor, on = 1;
  while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection *connection = calloc(1, sizeof *connection);
    connection->socket = descriptor;
    watch(descriptor, connection);
  }
}

static void send_due(void) {
  double time = first_held ? now() : 0;
  while (first_held && first_held->due <= time) {
    Held *held = first_held;
    first_held = held->next;
    if (!held->to->closed) {
      append(&held->to->out, held->bytes.at, held->bytes.length);
      send_out(held->to);
    }
    free(held->bytes.at);
    free(held);
  }
}

int main(int count_of_arguments, char **arguments) {
  int port = count_of_arguments > 1 ? atoi(arguments[1]) : 0, on = 1;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
    perror("server");
    return 1;
  }
  signal(SIGPIPE, SIG_IGN);
  Connection accepting = {.socket = listener}, input = {.socket = 0};
  struct epoll_event ready[MAX_EVENTS];
  events = epoll_create1(0);
  watch(listener, &accepting);
  watch(0, &input);
  for (;;) {
    double left = first_held ? (first_held->due - now()) * 1000 : 0;
    int wait = !first_held ? -1 : left > 0 ? (int)left + 1 : 0;
    int many = epoll_wait(events, ready, MAX_EVENTS, wait);
    for (int i = 0; i < many; i++) {
      Connection *connection = ready[i].data.ptr;
      if (connection == &input) return 0;
      if (connection == &accepting) {
        accept_all(listener);
        continue;
      }
      if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(connection);
      if (!connection->closed && ready[i].events & EPOLLOUT) send_out(connection);
      /* Its memory stays: a response that is held back may still name it. */
      if (connection->closed) close(connection->socket);
    }
    send_due();
  }
}
