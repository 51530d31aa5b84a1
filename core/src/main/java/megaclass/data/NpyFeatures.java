// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import megaclass.internal.InvalidFileException;
import org.jspecify.annotations.Nullable;

/**
 * Dense features in a {@code .npy} file, with their labels, where they are known, beside it.
 *
 * <ul>
 *   <li>Features: (examples, dim) of type float16, float32 or float64, C order, either byte order,
 *       format version 1 to 3. All must be finite, also as float32.
 *   <li>Labels: a UTF-8 text file with one label a line, or a {@code .npy} file of integers,
 *       (examples).
 * </ul>
 *
 * <p>Immutable and thread-safe.
 */
public final class NpyFeatures implements ExampleSource {
  private static final Set<String> FLOATS = Set.of("f2", "f4", "f8");
  private static final Set<String> INTEGERS =
      Set.of("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8");

  private static final String UNKNOWN = "unknown";

  private final Path features;
  private final @Nullable Path labels;
  private final NpyHeader header;
  private final boolean npyLabels;

  private NpyFeatures(Path features, @Nullable Path labels, NpyHeader header, boolean npyLabels) {
    this.features = features;
    this.labels = labels;
    this.header = header;
    this.npyLabels = npyLabels;
  }

  /**
   * Reads the headers of both files and counts the labels.
   *
   * @throws java.io.UncheckedIOException with one sentence that starts with the file, if they do
   *     not hold what they should or not equally many
   */
  public static NpyFeatures open(Path features, Path labels) {
    var header = featureHeader(features);
    boolean npyLabels = NpyHeader.isNpy(labels);
    long numLabels = npyLabels ? countNumbers(labels) : countLines(labels);
    if (numLabels != header.shape().get(0)) {
      throw new InvalidFileException(
          labels,
          "has "
              + numLabels
              + " labels, but "
              + features
              + " has "
              + header.shape().get(0)
              + " examples; give one label an example");
    }
    return new NpyFeatures(features, labels, header, npyLabels);
  }

  /**
   * Rows whose classes are to be predicted: every one has the label "unknown".
   *
   * @throws java.io.UncheckedIOException with one sentence that starts with the file, if it does
   *     not hold what it should
   */
  public static NpyFeatures unlabelled(Path features) {
    return new NpyFeatures(features, null, featureHeader(features), false);
  }

  private static NpyHeader featureHeader(Path features) {
    var header = NpyHeader.read(features);
    if (header.shape().size() != 2) {
      throw new InvalidFileException(
          features,
          "has shape " + header.shapeText() + ", expected two axes: (examples, features)");
    }
    if (!FLOATS.contains(header.type())) {
      throw new InvalidFileException(
          features,
          "has numbers of type " + header.type() + ", expected float16, float32 or float64");
    }
    if (header.shape().get(0) == 0
        || header.shape().get(1) < 1
        || header.shape().get(1) > 1 << 20) {
      throw new InvalidFileException(
          features,
          "has shape " + header.shapeText() + ", expected 1 to 1048576 features an example");
    }
    return header;
  }

  @Override
  public FeatureKind kind() {
    return FeatureKind.DENSE;
  }

  @Override
  public int featureDim() {
    return Math.toIntExact(header.shape().get(1));
  }

  @Override
  public String description() {
    return labels == null
        ? String.valueOf(features.getFileName())
        : features.getFileName() + " with " + labels.getFileName();
  }

  @Override
  public void forEach(Sink sink) {
    if (labels == null) {
      byte[] unknown = UNKNOWN.getBytes(UTF_8);
      rows(sink, _ -> unknown);
    } else if (npyLabels) {
      try (var numbers = new Numbers(NpyHeader.read(labels))) {
        rows(sink, example -> numbers.decimal(example).getBytes(UTF_8));
      }
    } else {
      try (var lines = new TextLines(labels)) {
        rows(sink, _ -> nextLabel(lines));
      }
    }
  }

  private void rows(Sink sink, LabelReader labelOf) {
    try (var numbers = new Numbers(header)) {
      var row = new float[featureDim()];
      for (long example = 0; example < header.shape().get(0); example++) {
        numbers.row(example, row);
        int column = Rows.firstNotFinite(row);
        if (column >= 0) {
          throw new InvalidFileException(
              features,
              "row %d, column %d (counted from 0) is %s; features must be finite float32 numbers"
                  .formatted(example, column, row[column]));
        }
        sink.row(row, labelOf.next(example));
      }
    }
  }

  private interface LabelReader {
    byte[] next(long example);
  }

  private static long countNumbers(Path labels) {
    var header = NpyHeader.read(labels);
    if (header.shape().size() != 1 || !INTEGERS.contains(header.type())) {
      throw new InvalidFileException(
          labels,
          "has shape "
              + header.shapeText()
              + " and type "
              + header.type()
              + ", expected one axis of integers: (examples,)");
    }
    return header.shape().get(0);
  }

  private static long countLines(Path labels) {
    try (var lines = new TextLines(labels)) {
      while (lines.next()) {
        requireLabel(lines);
      }
      return lines.number();
    }
  }

  private static byte[] nextLabel(TextLines lines) {
    if (!lines.next()) {
      throw lines.fault("the file became shorter while it was read; try again");
    }
    requireLabel(lines);
    return lines.copy(lines.from(), lines.to());
  }

  private static void requireLabel(TextLines lines) {
    if (lines.isEmpty()) {
      throw lines.fault("the line is empty, expected a label");
    }
  }

  /** The numbers of a mapped {@code .npy} file, by position. */
  private static final class Numbers implements AutoCloseable {
    private final Arena arena = Arena.ofConfined();
    private final String type;
    private final int itemBytes;
    private final MemorySegment data;
    private final ValueLayout.OfShort shorts;
    private final ValueLayout.OfInt ints;
    private final ValueLayout.OfLong longs;
    private final ValueLayout.OfFloat floats;
    private final ValueLayout.OfDouble doubles;

    Numbers(NpyHeader header) {
      this.type = header.type();
      this.itemBytes = header.itemBytes();
      this.shorts = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(header.order());
      this.ints = ValueLayout.JAVA_INT_UNALIGNED.withOrder(header.order());
      this.longs = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(header.order());
      this.floats = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(header.order());
      this.doubles = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(header.order());
      try (var channel = FileChannel.open(header.file(), StandardOpenOption.READ)) {
        var file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        this.data = file.asSlice(header.dataOffset());
      } catch (IOException e) {
        arena.close();
        throw new InvalidFileException(header.file(), e);
      }
    }

    /** Reads row {@code example} of an array of shape (examples, into.length). */
    void row(long example, float[] into) {
      long at = example * into.length * itemBytes;
      switch (type) {
        case "f4" -> MemorySegment.copy(data, floats, at, into, 0, into.length);
        case "f8" -> {
          for (int i = 0; i < into.length; i++) {
            into[i] = (float) data.get(doubles, at + i * 8L);
          }
        }
        case "f2" -> {
          for (int i = 0; i < into.length; i++) {
            into[i] = Float.float16ToFloat(data.get(shorts, at + i * 2L));
          }
        }
        default -> throw new AssertionError(type);
      }
    }

    String decimal(long i) {
      long at = i * itemBytes;
      return switch (type) {
        case "i1" -> String.valueOf(data.get(ValueLayout.JAVA_BYTE, at));
        case "u1" -> String.valueOf(data.get(ValueLayout.JAVA_BYTE, at) & 0xFF);
        case "i2" -> String.valueOf(data.get(shorts, at));
        case "u2" -> String.valueOf(data.get(shorts, at) & 0xFFFF);
        case "i4" -> String.valueOf(data.get(ints, at));
        case "u4" -> Integer.toUnsignedString(data.get(ints, at));
        case "i8" -> String.valueOf(data.get(longs, at));
        case "u8" -> Long.toUnsignedString(data.get(longs, at));
        default -> throw new AssertionError(type);
      };
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
