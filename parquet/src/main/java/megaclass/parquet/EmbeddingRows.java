// SPDX-License-Identifier: Apache-2.0
package megaclass.parquet;

import static org.apache.parquet.schema.LogicalTypeAnnotation.stringType;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.BINARY;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.FLOAT;

import java.util.Map;
import java.util.Objects;
import megaclass.data.Dataset;
import megaclass.openset.EmbeddingSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Types;
import org.jspecify.annotations.Nullable;

/** A row an example, known by its number. */
final class EmbeddingRows extends WriteSupport<Integer> {
  static final String EXAMPLE = "example";
  static final String LABEL = "label";
  static final String EMBEDDING = "embedding";

  /** The column of all floats of all embeddings. */
  static final String VALUES = EMBEDDING + ".list.element";

  /** A list in three levels, as the format's specification asks. */
  private static final MessageType SCHEMA =
      Types.buildMessage()
          .required(BINARY)
          .as(stringType())
          .named(EXAMPLE)
          .required(BINARY)
          .as(stringType())
          .named(LABEL)
          .requiredList()
          .requiredElement(FLOAT)
          .named(EMBEDDING)
          .named("embeddings");

  private final EmbeddingSet embeddings;
  private final Dataset data;
  private @Nullable RecordConsumer row;

  EmbeddingRows(EmbeddingSet embeddings, Dataset data) {
    this.embeddings = embeddings;
    this.data = data;
  }

  @Override
  public WriteContext init(ParquetConfiguration configuration) {
    return new WriteContext(SCHEMA, Map.of());
  }

  @Override
  @SuppressWarnings("deprecation") // there is no Hadoop here that could ask
  public WriteContext init(Configuration configuration) {
    return new WriteContext(SCHEMA, Map.of());
  }

  @Override
  public void prepareForWrite(RecordConsumer consumer) {
    row = consumer;
  }

  @Override
  public void write(Integer example) {
    var into = Objects.requireNonNull(row);
    into.startMessage();
    string(into, 0, EXAMPLE, data.name(example));
    string(into, 1, LABEL, data.labels().label(embeddings.classId(example)));
    into.startField(EMBEDDING, 2);
    list(into, embeddings.embedding(example));
    into.endField(EMBEDDING, 2);
    into.endMessage();
  }

  private static void string(RecordConsumer into, int field, String name, String value) {
    into.startField(name, field);
    into.addBinary(Binary.fromString(value));
    into.endField(name, field);
  }

  /**
   * Writes one embedding.
   *
   * @param values (dim)
   */
  private static void list(RecordConsumer into, float[] values) {
    into.startGroup();
    into.startField("list", 0);
    for (float value : values) {
      into.startGroup();
      into.startField("element", 0);
      into.addFloat(value);
      into.endField("element", 0);
      into.endGroup();
    }
    into.endField("list", 0);
    into.endGroup();
  }
}
