// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import megaclass.backbone.Backbone;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.NativeMemory;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.internal.AtomicFiles;
import megaclass.internal.Check;
import megaclass.internal.FileBytes;

/**
 * Embeddings of unit length off the heap, (size, dim), with the class of each: what all protocols
 * of this package measure. The score of two of them is their inner product, the cosine.
 *
 * <p>Owns its memory and must be closed. It works with the threads of the classifier that made it,
 * which must stay open as long; one protocol may run at a time.
 */
public final class EmbeddingSet implements AutoCloseable {
  /** Examples embedded at once: no more than any backbone of a classifier takes. */
  private static final int BATCH = 128;

  private static final int WRITE_BYTES = 1 << 22;

  private final Engine engine;
  private final Arena arena = Arena.ofShared();
  private final int dim;
  private final int stride;
  private final int[] classIds;
  private final MemorySegment rows;

  EmbeddingSet(int dim, int[] classIds, Engine engine) {
    this.engine = engine;
    this.dim = dim;
    this.stride = ComputeBackend.padded(dim);
    this.classIds = classIds;
    this.rows = NativeMemory.allocate(4L * stride * classIds.length, arena);
  }

  /**
   * The embeddings of all examples of a data set, in their order; an example stands for its first
   * class.
   *
   * @param engine must stay open as long as the set
   * @throws ArithmeticException when an embedding has no direction
   */
  public static EmbeddingSet of(Backbone backbone, Dataset data, Engine engine) {
    int size = (int) Check.inRange("number of examples", data.numExamples(), 0, 1L << 30);
    var set = new EmbeddingSet(backbone.dim(), new int[size], engine);
    var shape = new Embeddings.Shape(backbone.dim(), true, false);
    try (var batchOf = new Embeddings(BATCH, shape, engine)) {
      for (int from = 0; from < size; from += BATCH) {
        var batch = MiniBatch.range(data, from, Math.min(BATCH, size - from));
        batchOf.begin(batch.size());
        backbone.read(batch, false);
        backbone.forward(batchOf);
        batchOf.pack(batch);
        set.copy(batchOf, from);
        System.arraycopy(batch.classIds(), 0, set.classIds, from, batch.size());
      }
    } catch (RuntimeException e) {
      set.close();
      throw e;
    }
    return set;
  }

  /**
   * Embeddings that were made elsewhere.
   *
   * @param rows (size, dim), of any length above 0; taken to unit length
   * @param classIds (size), each at least 0
   * @param engine must stay open as long as the set
   */
  public static EmbeddingSet of(float[][] rows, int[] classIds, Engine engine) {
    if (rows.length != classIds.length) {
      throw new IllegalArgumentException(
          "got " + rows.length + " embeddings but " + classIds.length + " classes");
    }
    int dim = rows.length == 0 ? 1 : rows[0].length;
    var set = new EmbeddingSet(dim, classIds.clone(), engine);
    for (int i = 0; i < rows.length; i++) {
      set.put(i, rows[i], "embedding " + i);
    }
    return set;
  }

  private void copy(Embeddings batch, int from) {
    for (int i = 0; i < batch.size(); i++) {
      engine.backend().scaled(batch.row(i), 1f, stride, row(from + i));
    }
  }

  /**
   * Writes one embedding at unit length.
   *
   * @param values (dim)
   * @param name of the embedding, for the message when it has no direction
   */
  void put(int item, float[] values, String name) {
    MemorySegment.copy(values, 0, rows, JAVA_FLOAT_UNALIGNED, 4L * item * stride, dim);
    float squares = engine.backend().dot(row(item), row(item), stride);
    if (!(squares <= Float.MAX_VALUE) || squares < Float.MIN_NORMAL) {
      throw new ArithmeticException(
          "%s has length %s, which has no direction; leave it out"
              .formatted(name, Math.sqrt(squares)));
    }
    engine.backend().scaled(row(item), (float) (1 / Math.sqrt(squares)), stride, row(item));
  }

  /**
   * Writes the embeddings as a {@code .npy} file, (size, dim) little-endian float32, which has its
   * name only when all of it is on the disk.
   */
  public void save(Path file) {
    AtomicFiles.write(
        file,
        channel -> {
          FileBytes.write(channel, ByteBuffer.wrap(npyHeader()));
          int perWrite = Math.clamp(WRITE_BYTES / (4 * dim), 1, Math.max(1, size()));
          var buffer = ByteBuffer.allocate(4 * dim * perWrite).order(ByteOrder.LITTLE_ENDIAN);
          for (int from = 0; from < size(); from += perWrite) {
            buffer.clear();
            for (int i = from; i < Math.min(size(), from + perWrite); i++) {
              for (int j = 0; j < dim; j++) {
                buffer.putFloat(value(i, j));
              }
            }
            FileBytes.write(channel, buffer.flip());
          }
        });
  }

  /** Version 1 of the format: the data starts at a multiple of 64. */
  private byte[] npyHeader() {
    var text =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }".formatted(size(), dim);
    int length = (10 + text.length() + 1 + 63) / 64 * 64 - 10;
    var header = ByteBuffer.allocate(10 + length).order(ByteOrder.LITTLE_ENDIAN);
    header.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    header.putShort((short) length);
    header.put((text + " ".repeat(length - text.length() - 1) + "\n").getBytes(ISO_8859_1));
    return header.array();
  }

  /** How many embeddings there are. */
  public int size() {
    return classIds.length;
  }

  /** Floats of an embedding. */
  public int dim() {
    return dim;
  }

  /** The class of an embedding. */
  public int classId(int item) {
    return classIds[item];
  }

  /** (size): the class of each embedding. A copy. */
  public int[] classIds() {
    return classIds.clone();
  }

  /** A copy of one embedding, (dim). */
  public float[] embedding(int item) {
    var into = new float[dim];
    MemorySegment.copy(rows, JAVA_FLOAT_UNALIGNED, 4L * item * stride, into, 0, dim);
    return into;
  }

  /** The cosine of two embeddings. */
  public float score(int a, int b) {
    return engine.backend().dot(row(a), row(b), stride);
  }

  /** Address of one embedding: (stride) floats, zeros behind the first dim. */
  long row(int item) {
    return rows.address() + 4L * item * stride;
  }

  /** One value of an embedding; 0 from dim to stride. */
  float value(int item, int column) {
    return rows.get(JAVA_FLOAT_UNALIGNED, 4L * ((long) item * stride + column));
  }

  /** Floats from row to row: dim rounded up to a multiple of 16. */
  int stride() {
    return stride;
  }

  Engine engine() {
    return engine;
  }

  /** All embeddings by class. */
  ClassMembers members() {
    int[] all = new int[size()];
    Arrays.setAll(all, i -> i);
    return new ClassMembers(all, classIds);
  }

  @Override
  public void close() {
    arena.close();
  }
}
