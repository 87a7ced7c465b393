/** Loads mesh.proto once and fixes the channel options that every connection uses. */
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import protobuf, { type Type } from 'protobufjs';
import { PACKAGE_ROOT } from '../../base/package-root.ts';
import { countBulk } from './bulk-garbage.ts';

/** Largest message either side accepts: a chunk is 128 KiB, diagnostics are at most 4 MiB. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/** Bytes of file content in one message. Between 64 and 256 KiB measured alike; smaller bounds memory better. */
export const CHUNK_BYTES = 128 * 1024;

/**
 * Bytes of one job's outputs that may be under way before the submitter has passed them on. Nearly every object
 * fits it whole, so that acknowledgements are rare; times the jobs in flight it bounds a submitter's memory.
 */
export const OUTPUT_WINDOW_BYTES = 1024 * 1024;

/**
 * `http_proxy` in the environment would otherwise hijack calls on the local network, and the default
 * HTTP/2 window of 64 KiB would cost a round trip per 64 KiB of object. A peer that answers no ping for
 * 4 s is gone: a pulled cable must not hold a build up. Ping and time-out are long against a busy event loop.
 */
export const CHANNEL_OPTIONS: grpc.ChannelOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.enable_http_proxy': 0,
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 4_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_concurrent_streams': 64,
};

// What goes wrong comes back as an error or a status; grpc-js would print it once more, without a context.
if (process.env.GRPC_VERBOSITY === undefined && process.env.GRPC_NODE_VERBOSITY === undefined)
  grpc.setLogVerbosity(grpc.logVerbosity.NONE);

const PROTO_FILE = join(PACKAGE_ROOT, 'proto/meshcc/v1/mesh.proto');

const definition = loadSync(PROTO_FILE, {
  longs: Number,
  defaults: true,
  arrays: true,
  oneofs: false,
});

/**
 * A message of ours already has the form that protobufjs encodes; proto-loader would copy it into one of its own
 * first, which costs as much again. (Decoding goes through proto-loader: 64-bit numbers and defaults are its work.)
 */
function encodeDirectly(method: MethodDefinition<object, object>, request: string, response: string): void {
  const encoder =
    (type: Type) =>
    (message: object): Buffer => {
      const encoded = type.encode(message).finish() as Buffer;
      countBulk(encoded.length);
      return encoded;
    };
  const { requestDeserialize, responseDeserialize } = method;
  method.requestSerialize = encoder(schema.lookupType(request));
  method.responseSerialize = encoder(schema.lookupType(response));
  method.requestDeserialize = counted(requestDeserialize);
  method.responseDeserialize = counted(responseDeserialize);
}

function counted(decode: (bytes: Buffer) => object): (bytes: Buffer) => object {
  return (bytes) => {
    countBulk(bytes.length);
    return decode(bytes);
  };
}

const schema = protobuf.loadSync(PROTO_FILE);
const { Work: work, Blobs: blobs } = definition['meshcc.v1.Mesh'] as ServiceDefinition;
if (work !== undefined) encodeDirectly(work, 'meshcc.v1.FromSubmitter', 'meshcc.v1.FromWorker');
if (blobs !== undefined) encodeDirectly(blobs, 'meshcc.v1.BlobBatch', 'meshcc.v1.BlobsClosed');

const loaded = grpc.loadPackageDefinition(definition) as unknown as {
  meshcc: { v1: { Mesh: grpc.ServiceClientConstructor } };
};

/** Client class and service definition of `meshcc.v1.Mesh`. */
export const MeshService = loaded.meshcc.v1.Mesh;

/** Metadata key that ties a Blobs call to its Work stream. */
export const SESSION_METADATA_KEY = 'meshcc-session';
