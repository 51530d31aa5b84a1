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
 * @param features TEXT: the bytes of all texts; DENSE: (numExamples, featureDim) float32; IMAGE:
 *     (numExamples, C, H, W) bytes
 * @param textOffsets TEXT: (numExamples + 1) longs; otherwise empty
 * @param names of the examples, where they have some
 * @param targets (number of targets) ints: class ids, example after example
 * @param targetOffsets (numExamples + 1) longs: first target of each example; empty if each example
 *     has one target
 */
record ExampleStore(
    Arena arena,
    Layout layout,
    long numExamples,
    MemorySegment features,
    MemorySegment textOffsets,
    Names names,
    MemorySegment targets,
    MemorySegment targetOffsets,
    Labels labels) {
  static final String FILE_KIND = "DATA";
  static final int VERSION = 1;

  static final String META = "meta";
  static final String TEXT_BYTES = "text.bytes";
  static final String TEXT_OFFSETS = "text.offsets";
  static final String ROWS = "rows";
  static final String PIXELS = "pixels";
  static final String NAME_BYTES = "names.bytes";
  static final String NAME_OFFSETS = "names.offsets";
  static final String TARGETS = "targets";
  static final String TARGET_OFFSETS = "targets.offsets";

  /** Where the features lie. */
  static String featureSection(FeatureKind kind) {
    return switch (kind) {
      case DENSE -> ROWS;
      case TEXT -> TEXT_BYTES;
      case IMAGE -> PIXELS;
    };
  }

  /**
   * Names of the examples.
   *
   * @param bytes UTF-8, one after another
   * @param offsets (numExamples + 1) longs, or empty: no example has a name
   */
  record Names(MemorySegment bytes, MemorySegment offsets) {
    static final Names NONE = new Names(MemorySegment.NULL, MemorySegment.NULL);

    private static Names read(SectionFile file, long numExamples) {
      if (!file.has(NAME_OFFSETS)) {
        return NONE;
      }
      var offsets = file.section(NAME_OFFSETS, (numExamples + 1) * Long.BYTES);
      return new Names(file.section(NAME_BYTES, last(offsets)), offsets);
    }

    /** The name of an example; empty if it has none. */
    String name(long example) {
      if (offsets.byteSize() == 0) {
        return "";
      }
      long from = offsets.get(LittleEndian.LONG, example * Long.BYTES);
      long to = offsets.get(LittleEndian.LONG, (example + 1) * Long.BYTES);
      return new String(bytes.asSlice(from, to - from).toArray(ValueLayout.JAVA_BYTE), UTF_8);
    }
  }

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
    var kind = meta.layout().kind();
    boolean text = kind == FeatureKind.TEXT;
    var textOffsets =
        text ? file.section(TEXT_OFFSETS, (numExamples + 1) * Long.BYTES) : MemorySegment.NULL;
    var features =
        file.section(
            featureSection(kind),
            text ? last(textOffsets) : numExamples * meta.layout().exampleBytes());
    var targetOffsets =
        file.has(TARGET_OFFSETS)
            ? file.section(TARGET_OFFSETS, (numExamples + 1) * Long.BYTES)
            : MemorySegment.NULL;
    long numTargets = file.has(TARGET_OFFSETS) ? last(targetOffsets) : numExamples;
    var store =
        new ExampleStore(
            arena,
            meta.layout(),
            numExamples,
            features,
            textOffsets,
            Names.read(file, numExamples),
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
  record Meta(Layout layout, long numExamples, String source) {
    static Meta read(SectionFile file) {
      var text = new String(file.section(META).toArray(ValueLayout.JAVA_BYTE), UTF_8);
      try {
        var entries = TextProperties.parse(text);
        return new Meta(
            layout(entries),
            Long.parseLong(value(entries, "examples")),
            entries.getOrDefault("source", ""));
      } catch (IllegalArgumentException e) {
        throw new InvalidFileException(
            file.path(), "section \"" + META + "\" cannot be read: " + e.getMessage());
      }
    }

    private static Layout layout(Map<String, String> entries) {
      var kind = FeatureKind.valueOf(value(entries, "features"));
      int featureDim = Integer.parseInt(value(entries, "feature-dim"));
      var image = kind == FeatureKind.IMAGE ? ImageShape.parse(value(entries, "image")) : null;
      return new Layout(kind, featureDim, image);
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
      entries.put("features", layout.kind().name());
      entries.put("feature-dim", String.valueOf(layout.featureDim()));
      if (layout.image() != null) {
        entries.put("image", layout.image().toString());
      }
      entries.put("examples", String.valueOf(numExamples));
      entries.put("source", source);
      return MemorySegment.ofArray(TextProperties.format(entries).getBytes(UTF_8));
    }
  }

  private static long last(MemorySegment offsets) {
    return offsets.get(LittleEndian.LONG, offsets.byteSize() - Long.BYTES);
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
    long hash = Hash.key(layout.hash(), numExamples);
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
    private final Layout layout;
    private final Labels.Builder labels;
    private final GrowingMemory features = new GrowingMemory();
    private final GrowingMemory textOffsets = new GrowingMemory();
    private final GrowingMemory nameBytes = new GrowingMemory();
    private final GrowingMemory nameOffsets = new GrowingMemory();
    private final GrowingMemory targets = new GrowingMemory();
    private final GrowingMemory targetOffsets = new GrowingMemory();
    private long numExamples;

    /** The labels stay the caller's. */
    Builder(Layout layout, Labels.Builder labels) {
      this.layout = layout;
      this.labels = labels;
      textOffsets.appendLong(0);
      nameOffsets.appendLong(0);
      targetOffsets.appendLong(0);
    }

    @Override
    public void add(float[] row, int... classIds) {
      Rows.requireFinite(row, layout.featureDim(), numExamples);
      features.append(row);
      addTargets(classIds);
    }

    @Override
    public void add(byte[] utf8, int... classIds) {
      features.append(utf8);
      textOffsets.appendLong(features.size());
      addTargets(classIds);
    }

    @Override
    public void add(byte[] pixels, String name, int... classIds) {
      layout.imageShape().requirePixels(pixels, numExamples);
      features.append(pixels);
      nameBytes.append(name.getBytes(UTF_8));
      nameOffsets.appendLong(nameBytes.size());
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
          layout,
          numExamples,
          features.copy(arena).asReadOnly(),
          layout.kind() == FeatureKind.TEXT ? textOffsets.copy(arena) : MemorySegment.NULL,
          nameBytes.size() == 0
              ? Names.NONE
              : new Names(nameBytes.copy(arena), nameOffsets.copy(arena)),
          targets.copy(arena),
          single ? MemorySegment.NULL : targetOffsets.copy(arena),
          labels.build(arena));
    }

    @Override
    public void close() {
      features.close();
      textOffsets.close();
      nameBytes.close();
      nameOffsets.close();
      targets.close();
      targetOffsets.close();
    }
  }
}
