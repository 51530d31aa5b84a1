// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import megaclass.internal.Checksum;
import megaclass.internal.GrowingMemory;
import megaclass.internal.Hash;
import megaclass.internal.InvalidFileException;
import megaclass.internal.LittleEndian;
import megaclass.internal.SectionFile;
import megaclass.internal.TextProperties;

/**
 * The memory of a data set, mapped or allocated: the sections of a {@code .mcd} file.
 *
 * @param arena owner of all segments
 * @param features TEXT: the bytes of all texts; DENSE: (numExamples, featureDim) float32
 * @param textOffsets TEXT: (numExamples + 1) longs; DENSE: empty
 * @param targets (number of targets) ints: class ids, example after example
 * @param targetOffsets (numExamples + 1) longs: first target of each example; empty if each example
 *     has one target
 */
record ExampleStore(
    Arena arena,
    FeatureKind kind,
    int featureDim,
    long numExamples,
    MemorySegment features,
    MemorySegment textOffsets,
    MemorySegment targets,
    MemorySegment targetOffsets,
    Labels labels) {
  static final String FILE_KIND = "DATA";
  static final int VERSION = 1;

  static final String META = "meta";
  static final String TEXT_BYTES = "text.bytes";
  static final String TEXT_OFFSETS = "text.offsets";
  static final String ROWS = "rows";
  static final String TARGETS = "targets";
  static final String TARGET_OFFSETS = "targets.offsets";

  /** A mapped file. */
  record Opened(ExampleStore store, Meta meta) {}

  static Opened open(Path path) {
    var arena = Arena.ofShared();
    try {
      return read(SectionFile.open(path, FILE_KIND, VERSION, arena), arena);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  private static Opened read(SectionFile file, Arena arena) {
    var meta = Meta.read(file);
    long numExamples = meta.numExamples();
    boolean text = meta.kind() == FeatureKind.TEXT;
    var textOffsets =
        text ? file.section(TEXT_OFFSETS, (numExamples + 1) * Long.BYTES) : MemorySegment.NULL;
    var features =
        text
            ? file.section(TEXT_BYTES, last(textOffsets))
            : file.section(ROWS, numExamples * meta.featureDim() * Float.BYTES);
    var targetOffsets =
        file.has(TARGET_OFFSETS)
            ? file.section(TARGET_OFFSETS, (numExamples + 1) * Long.BYTES)
            : MemorySegment.NULL;
    long numTargets = file.has(TARGET_OFFSETS) ? last(targetOffsets) : numExamples;
    var store =
        new ExampleStore(
            arena,
            meta.kind(),
            meta.featureDim(),
            numExamples,
            features,
            textOffsets,
            file.section(TARGETS, numTargets * Integer.BYTES),
            targetOffsets,
            Labels.read(file));
    return new Opened(store, meta);
  }

  /**
   * The section "meta".
   *
   * @param source where the examples come from, in words; may be empty
   */
  record Meta(FeatureKind kind, int featureDim, long numExamples, String source) {
    static Meta read(SectionFile file) {
      var text = new String(file.section(META).toArray(ValueLayout.JAVA_BYTE), UTF_8);
      try {
        var entries = TextProperties.parse(text);
        return new Meta(
            FeatureKind.valueOf(value(entries, "features")),
            Integer.parseInt(value(entries, "feature-dim")),
            Long.parseLong(value(entries, "examples")),
            entries.getOrDefault("source", ""));
      } catch (IllegalArgumentException e) {
        throw new InvalidFileException(
            file.path(), "section \"" + META + "\" cannot be read: " + e.getMessage());
      }
    }

    private static String value(Map<String, String> entries, String key) {
      var value = entries.get(key);
      if (value == null) {
        throw new IllegalArgumentException("\"" + key + "\" is missing");
      }
      return value;
    }

    MemorySegment bytes() {
      var entries = new LinkedHashMap<String, String>();
      entries.put("features", kind.name());
      entries.put("feature-dim", String.valueOf(featureDim));
      entries.put("examples", String.valueOf(numExamples));
      entries.put("source", source);
      return MemorySegment.ofArray(TextProperties.format(entries).getBytes(UTF_8));
    }
  }

  private static long last(MemorySegment offsets) {
    return offsets.get(LittleEndian.LONG, offsets.byteSize() - Long.BYTES);
  }

  long rowBytes() {
    return (long) featureDim * Float.BYTES;
  }

  long textOffset(long example) {
    return textOffsets.get(LittleEndian.LONG, example * Long.BYTES);
  }

  int numTargets(long example) {
    return targetOffsets.byteSize() == 0
        ? 1
        : (int) (firstTarget(example + 1) - firstTarget(example));
  }

  int target(long example, int i) {
    if (targetOffsets.byteSize() == 0) {
      Objects.checkIndex(i, 1);
      return targets.get(LittleEndian.INT, example * Integer.BYTES);
    }
    Objects.checkIndex(i, numTargets(example));
    return targets.get(LittleEndian.INT, (firstTarget(example) + i) * Integer.BYTES);
  }

  private long firstTarget(long example) {
    return targetOffsets.get(LittleEndian.LONG, example * Long.BYTES);
  }

  long contentHash() {
    long hash = Hash.key(featureDim, numExamples);
    for (var part : new MemorySegment[] {features, textOffsets, targets, targetOffsets}) {
      hash = Hash.key(hash, part.byteSize(), Checksum.ofSection(part));
    }
    for (var part : labels.sections()) {
      hash = Hash.key(hash, part.byteSize(), Checksum.ofSection(part));
    }
    return hash;
  }

  /** Gathers a set in memory. */
  static final class Builder implements MergingSink.Target, AutoCloseable {
    private final FeatureKind kind;
    private final int featureDim;
    private final Labels.Builder labels;
    private final GrowingMemory features = new GrowingMemory();
    private final GrowingMemory textOffsets = new GrowingMemory();
    private final GrowingMemory targets = new GrowingMemory();
    private final GrowingMemory targetOffsets = new GrowingMemory();
    private long numExamples;

    /** The labels stay the caller's. */
    Builder(FeatureKind kind, int featureDim, Labels.Builder labels) {
      this.kind = kind;
      this.featureDim = featureDim;
      this.labels = labels;
      textOffsets.appendLong(0);
      targetOffsets.appendLong(0);
    }

    @Override
    public void add(float[] row, int... classIds) {
      Rows.requireFinite(row, featureDim, numExamples);
      features.append(row);
      addTargets(classIds);
    }

    @Override
    public void add(byte[] utf8, int... classIds) {
      features.append(utf8);
      textOffsets.appendLong(features.size());
      addTargets(classIds);
    }

    private void addTargets(int[] classIds) {
      for (int classId : classIds) {
        targets.appendInt(classId);
      }
      targetOffsets.appendLong(targets.size() / Integer.BYTES);
      numExamples++;
    }

    ExampleStore build() {
      boolean single = targets.size() == numExamples * Integer.BYTES;
      var arena = Arena.ofShared();
      return new ExampleStore(
          arena,
          kind,
          featureDim,
          numExamples,
          features.copy(arena).asReadOnly(),
          kind == FeatureKind.TEXT ? textOffsets.copy(arena) : MemorySegment.NULL,
          targets.copy(arena),
          single ? MemorySegment.NULL : targetOffsets.copy(arena),
          labels.build(arena));
    }

    @Override
    public void close() {
      features.close();
      textOffsets.close();
      targets.close();
      targetOffsets.close();
    }
  }
}
