// SPDX-License-Identifier: Apache-2.0
package megaclass.model;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import megaclass.backbone.BackboneSpec;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.data.ImageShape;
import megaclass.data.Labels;
import megaclass.internal.Check;
import megaclass.internal.InvalidFileException;
import megaclass.internal.SectionFile;
import megaclass.internal.SectionOutput;
import megaclass.internal.TextProperties;
import megaclass.loss.Loss;
import megaclass.weights.ClassWeights;
import org.jspecify.annotations.Nullable;

/** The bytes of a model on disk, {@code .mcm}: see docs/formats.md. */
final class ModelFile {
  static final String KIND = "MODL";
  static final int VERSION = 1;

  private static final String META = "meta";
  private static final String DTYPE = "dtype";
  private static final String WEIGHTS = "weights";
  private static final String TABLE = "table";
  private static final String NETWORK = "network";
  private static final String IMAGES = "images";
  private static final String COUNTS = "class.counts";
  private static final String PROVENANCE = "provenance.";

  private ModelFile() {}

  /** Writes a model; the file has its name when all of it is on the disk. */
  static void write(Path path, ModelParts model) {
    try (var file = new SectionFile.Writer(path, KIND, VERSION)) {
      file.section(META, MemorySegment.ofArray(TextProperties.format(meta(model)).getBytes(UTF_8)));
      model.labels().writeTo(file);
      try (SectionOutput counts = file.section(COUNTS)) {
        for (long count : model.trainCounts()) {
          counts.putLong(count);
        }
      }
      writeRows(file, WEIGHTS, model.weights().matrix());
      if (model.table() != null) {
        writeRows(file, TABLE, model.table());
      }
      if (model.network() != null) {
        file.section(NETWORK, model.network().bytes());
      }
      file.finish();
    }
  }

  private static Map<String, String> meta(ModelParts model) {
    var meta = new LinkedHashMap<String, String>();
    meta.put("classes", String.valueOf(model.weights().numClasses()));
    meta.put("dim", String.valueOf(model.weights().dim()));
    RowFormat format = model.weights().matrix().format();
    if (format != RowFormat.FP32) {
      meta.put(DTYPE, format.toString());
    }
    meta.put("loss", model.loss().toString());
    meta.put("backbone", model.backbone().toString());
    if (model.network() != null) {
      meta.put(IMAGES, model.network().images().toString());
    }
    model.provenance().forEach((name, value) -> meta.put(PROVENANCE + name, value));
    return meta;
  }

  /** Rows without the velocities that may lie between them. */
  private static void writeRows(SectionFile.Writer file, String section, RowMatrix matrix) {
    try (SectionOutput out = file.section(section)) {
      for (RowMatrix.Shard shard : matrix.shards()) {
        if (!matrix.state().velocity()) {
          out.write(shard.rows());
          continue;
        }
        long rowBytes = RowMatrix.State.NONE.bytesPerRow(matrix.width(), matrix.format());
        for (long row = 0; row < shard.to() - shard.from(); row++) {
          out.write(shard.rows().asSlice(2 * rowBytes * row, rowBytes));
        }
      }
    }
  }

  /**
   * Maps a model.
   *
   * @throws InvalidFileException when it is missing, foreign, damaged or newer than this program
   */
  static ModelParts read(Path path, Arena arena) {
    var file = SectionFile.open(path, KIND, VERSION, arena);
    var meta =
        TextProperties.parse(new String(file.section(META).toArray(ValueLayout.JAVA_BYTE), UTF_8));
    int numClasses = number(path, meta, "classes");
    int dim = number(path, meta, "dim");
    RowFormat format = RowFormat.parse(meta.getOrDefault(DTYPE, RowFormat.FP32.toString()));
    Loss loss = Loss.parse(text(path, meta, "loss"));
    BackboneSpec backbone = BackboneSpec.parse(text(path, meta, "backbone"));
    ClassWeights weights =
        ClassWeights.over(
            file.section(WEIGHTS, rowBytes(numClasses, dim + (loss.bias() ? 1 : 0), format)),
            numClasses,
            dim,
            loss.bias(),
            format);
    @Nullable RowMatrix table =
        switch (backbone) {
          case BackboneSpec.Frozen _, BackboneSpec.Network _ -> null;
          case BackboneSpec.Bag bag ->
              RowMatrix.over(
                  file.section(TABLE, rowBytes(bag.buckets(), dim, RowFormat.FP32)),
                  bag.buckets(),
                  dim,
                  RowFormat.FP32);
        };
    ModelParts.@Nullable Network network =
        backbone instanceof BackboneSpec.Network
            ? new ModelParts.Network(
                ImageShape.parse(text(path, meta, IMAGES)), file.section(NETWORK))
            : null;
    var provenance = new LinkedHashMap<String, String>();
    meta.forEach(
        (name, value) -> {
          if (name.startsWith(PROVENANCE)) {
            provenance.put(name.substring(PROVENANCE.length()), value);
          }
        });
    long[] counts = file.section(COUNTS, 8L * numClasses).toArray(ValueLayout.JAVA_LONG_UNALIGNED);
    return new ModelParts(
        loss,
        backbone,
        weights,
        table,
        network,
        Labels.read(file),
        counts,
        Collections.unmodifiableMap(provenance));
  }

  private static long rowBytes(int numRows, int width, RowFormat format) {
    return numRows * RowMatrix.State.NONE.bytesPerRow(width, format);
  }

  private static String text(Path path, Map<String, String> meta, String name) {
    String value = meta.get(name);
    if (value == null) {
      throw new InvalidFileException(path, "has no \"%s\" in its meta section".formatted(name));
    }
    return value;
  }

  private static int number(Path path, Map<String, String> meta, String name) {
    String value = text(path, meta, name);
    try {
      return Check.positive(name, Integer.parseInt(value));
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(
          path,
          "has \"%s\" as \"%s\" in its meta section, expected a number above 0"
              .formatted(value, name));
    }
  }
}
