// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.LongStream;
import megaclass.internal.Hash;
import megaclass.internal.LittleEndian;
import megaclass.internal.Permutation;

/**
 * The examples of {@link PlantedClasses}, each a pure function of the settings and its number. What
 * a data set does not tell is known here: the class an example was really made from.
 *
 * <p>Immutable and thread-safe; keeps eight bytes a class, and nothing if all have equally many.
 */
public final class PlantedExamples implements ExampleSource {
  private static final long FAMILY = 1;
  private static final long CLASS = 2;
  private static final long EXAMPLE = 3;
  private static final long ORDER = 4;
  private static final long FLIP = 5;
  private static final long WARP_IN = 6;
  private static final long WARP_OUT = 7;
  private static final long SEEN = 8;

  /** Every class has at least so many examples, so that one may be held out. */
  private static final int MIN_EXAMPLES = 2;

  /** Examples are made on all cores, so many floats at a time. */
  private static final int CHUNK_FLOATS = 1 << 20;

  private final PlantedClasses spec;
  private final float unit;
  private final long[] offsets;
  private final Permutation classes;
  private final Permutation order;
  private final float[] warpIn;
  private final float[] warpOut;

  /** Prepares the examples of these settings. */
  public PlantedExamples(PlantedClasses spec) {
    this.spec = spec;
    this.unit = (float) (1 / Math.sqrt(spec.dim()));
    this.offsets = offsets(spec);
    this.classes = new Permutation(spec.numClasses(), Hash.key(spec.seed(), SEEN));
    this.order = new Permutation(numExamples(), Hash.key(spec.seed(), ORDER, spec.sample()));
    this.warpIn = warp(WARP_IN, 2f); // steep enough to bend: inputs are about 1 long
    this.warpOut = warp(WARP_OUT, unit);
  }

  /** How many examples there are. */
  public long numExamples() {
    return offsets.length == 0
        ? (long) spec.classesWithExamples() * spec.examplesPerClass()
        : offsets[spec.classesWithExamples()];
  }

  /** The class an example was made from. Examples of all classes are mixed. */
  public int trueClass(long example) {
    int rank = rank(order.at(example));
    return spec.seenClasses() == 0 ? rank : (int) classes.at(rank);
  }

  /** Which of the classes that have examples one is of, when these are counted class by class. */
  private int rank(long inOrder) {
    if (offsets.length == 0) {
      return (int) (inOrder / spec.examplesPerClass());
    }
    int at = Arrays.binarySearch(offsets, inOrder);
    return at >= 0 ? at : -at - 2;
  }

  /** The class an example is labelled with: not {@link #trueClass} if its label is flipped. */
  public int labelledClass(long example) {
    int trueClass = trueClass(example);
    long key = Hash.key(spec.seed(), FLIP, spec.sample(), example);
    if (Hash.unit(key) >= spec.flippedShare()) {
      return trueClass;
    }
    int other = Hash.below(spec.numClasses() - 1, Hash.mix(key));
    return other < trueClass ? other : other + 1;
  }

  /** The features of an example, (dim). */
  public float[] features(long example) {
    var row = centre(trueClass(example));
    addNormal(row, spec.noise() * unit, Hash.key(spec.seed(), EXAMPLE, spec.sample(), example));
    return spec.warped() ? warp(row) : row;
  }

  @Override
  public FeatureKind kind() {
    return FeatureKind.DENSE;
  }

  @Override
  public int featureDim() {
    return spec.dim();
  }

  @Override
  public String description() {
    return spec.toString();
  }

  @Override
  public void addLabels(Labels.Builder into) {
    for (int classId = 0; classId < spec.numClasses(); classId++) {
      into.add(label(classId));
    }
  }

  @Override
  public void forEach(Sink sink) {
    int chunk = Math.max(1, CHUNK_FLOATS / spec.dim());
    for (long from = 0; from < numExamples(); from += chunk) {
      long to = Math.min(numExamples(), from + chunk);
      var rows =
          LongStream.range(from, to).parallel().mapToObj(this::features).toArray(float[][]::new);
      for (int i = 0; i < rows.length; i++) {
        sink.row(rows[i], label(labelledClass(from + i)));
      }
    }
  }

  /** All examples in memory, made on all cores. */
  ExampleStore store() {
    var arena = Arena.ofShared();
    long rowBytes = (long) spec.dim() * Float.BYTES;
    var rows = arena.allocate(numExamples() * rowBytes, 64);
    var targets = arena.allocate(numExamples() * Integer.BYTES, 64);
    LongStream.range(0, numExamples())
        .parallel()
        .forEach(
            example -> {
              var row = features(example);
              MemorySegment.copy(row, 0, rows, LittleEndian.FLOAT, example * rowBytes, row.length);
              targets.set(LittleEndian.INT, example * Integer.BYTES, labelledClass(example));
            });
    try (var labels = new Labels.Builder()) {
      addLabels(labels);
      return new ExampleStore(
          arena,
          Layout.dense(spec.dim()),
          numExamples(),
          rows.asReadOnly(),
          MemorySegment.NULL,
          ExampleStore.Names.NONE,
          targets,
          MemorySegment.NULL,
          labels.build(arena));
    }
  }

  private static byte[] label(int classId) {
    return ("class-" + classId).getBytes(UTF_8);
  }

  /**
   * First example, in class order, of each class that has any, and the number of all at the end;
   * empty when they have equally many.
   */
  private static long[] offsets(PlantedClasses spec) {
    if (spec.zipfExponent() == 0) {
      return new long[0];
    }
    int numClasses = spec.classesWithExamples();
    var shares = new double[numClasses + 1]; // running sums
    for (int c = 0; c < numClasses; c++) {
      shares[c + 1] = shares[c] + StrictMath.pow(c + 1, -spec.zipfExponent());
    }
    int atLeast = Math.min(MIN_EXAMPLES, spec.examplesPerClass());
    double rest = (double) numClasses * (spec.examplesPerClass() - atLeast);
    var offsets = new long[numClasses + 1];
    for (int c = 1; c <= numClasses; c++) {
      offsets[c] = (long) c * atLeast + Math.round(rest * (shares[c] / shares[numClasses]));
    }
    return offsets;
  }

  private float[] centre(int classId) {
    var centre = new float[spec.dim()];
    addNormal(centre, unit, Hash.key(spec.seed(), FAMILY, spec.family(classId)));
    addNormal(centre, spec.spread() * unit, Hash.key(spec.seed(), CLASS, classId));
    return centre;
  }

  private float[] warp(long which, float scale) {
    var matrix = new float[spec.warped() ? 2 * spec.dim() * spec.dim() : 0];
    addNormal(matrix, scale, Hash.key(spec.seed(), which));
    return matrix;
  }

  /** Two layers, dim to 2 dim to dim, with x / (1 + |x|) between them. */
  private float[] warp(float[] row) {
    var hidden = multiply(row, warpIn, 2 * spec.dim());
    for (int i = 0; i < hidden.length; i++) {
      hidden[i] /= 1 + Math.abs(hidden[i]);
    }
    return multiply(hidden, warpOut, spec.dim());
  }

  /**
   * x (rows) times matrix (rows, columns): row after row, since sums along rows would not
   * vectorise.
   */
  private static float[] multiply(float[] x, float[] matrix, int columns) {
    var y = new float[columns];
    for (int i = 0; i < x.length; i++) {
      float factor = x[i];
      int at = i * columns;
      for (int j = 0; j < columns; j++) {
        y[j] += factor * matrix[at + j];
      }
    }
    return y;
  }

  /**
   * Adds scaled random numbers of mean 0 and variance 1: sums of four 16-bit uniform ones, near
   * enough to normal for points in space, fast, and the same bits on every machine.
   */
  private static void addNormal(float[] into, float scale, long key) {
    float factor = scale / 37837.227f; // the deviation of the sum: 65536 / sqrt(3)
    for (int i = 0; i < into.length; i++) {
      long bits = Hash.mix(key + i * 0x9E3779B97F4A7C15L);
      long two = (bits & 0x0000FFFF0000FFFFL) + (bits >>> 16 & 0x0000FFFF0000FFFFL);
      int sum = (int) two + (int) (two >>> 32);
      into[i] += factor * (sum - 131070);
    }
  }
}
