// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import megaclass.backbone.Backbone;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.BagBackbone;
import megaclass.backbone.FrozenBackbone;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Every backbone of core. */
class BackbonesKeepTheContractTest {
  private static final int NUM_EXAMPLES = 230;

  private static String[] labels() {
    return IntStream.range(0, NUM_EXAMPLES).mapToObj(i -> "class " + i).toArray(String[]::new);
  }

  /** Features as they are. */
  abstract static class OfFrozen extends BackboneContract {
    private final int dim;

    OfFrozen(int dim) {
      this.dim = dim;
    }

    @Override
    protected Dataset examples() {
      var random = new SplittableRandom(dim);
      var rows = new float[NUM_EXAMPLES][dim];
      for (float[] row : rows) {
        for (int j = 0; j < dim; j++) {
          row[j] = (float) random.nextGaussian();
        }
      }
      return Dataset.of(rows, labels());
    }

    @Override
    protected Backbone backbone(Engine engine) {
      return new FrozenBackbone(dim);
    }
  }

  /** Texts, from none at all to some dozens of tokens, over a table of 61 rows or one. */
  abstract static class OfBag extends BackboneContract {
    private static final String[] WORDS = {"", "a", "żółw", "two words", "😀😀 你好", "x x x x x"};

    private final String spec;
    private final int dim;
    private final List<RowMatrix> tables = new ArrayList<>();

    OfBag(String spec, int dim) {
      this.spec = spec;
      this.dim = dim;
    }

    @Override
    protected Dataset examples() {
      var texts = new String[NUM_EXAMPLES];
      Arrays.setAll(texts, i -> WORDS[i % WORDS.length] + (i % 4 == 0 ? "" : " " + i));
      return Dataset.of(texts, labels());
    }

    @Override
    protected Backbone backbone(Engine engine) {
      var bag = (BackboneSpec.Bag) BackboneSpec.parse(spec);
      var table = new RowMatrix(bag.buckets(), dim, RowMatrix.State.NONE);
      table.randomise(1, dim, 99, engine.workers());
      tables.add(table);
      return new BagBackbone(bag, table, 5, engine);
    }

    @AfterEach
    void closeTables() {
      tables.forEach(RowMatrix::close);
    }
  }

  @Nested
  class Frozen extends OfFrozen {
    Frozen() {
      super(5);
    }
  }

  @Nested
  class FrozenAtAWholeNumberOfLines extends OfFrozen {
    FrozenAtAWholeNumberOfLines() {
      super(32);
    }
  }

  @Nested
  class Bag extends OfBag {
    Bag() {
      super("bag(chars=1-2, words=1, buckets=61, dropout=0)", 5);
    }
  }

  @Nested
  class BagWithDropout extends OfBag {
    BagWithDropout() {
      super("bag(chars=1-2, words=2, buckets=61, dropout=0.5)", 3);
    }
  }

  @Nested
  class BagOfManyBuckets extends OfBag {
    BagOfManyBuckets() {
      super("bag(chars=0-0, words=1, buckets=1000, dropout=0.3)", 16);
    }
  }

  @Nested
  class BagOfOneBucket extends OfBag {
    BagOfOneBucket() {
      super("bag(chars=1-2, words=1, buckets=1, dropout=0.3)", 17);
    }
  }

  @Test
  void noKindOfBackboneIsForgotten() {
    Set<String> tried =
        Stream.of(BackbonesKeepTheContractTest.class.getDeclaredClasses())
            .filter(contract -> contract.isAnnotationPresent(Nested.class))
            .map(contract -> contract.getSuperclass().getSimpleName())
            .collect(Collectors.toSet());
    Set<String> kinds =
        Stream.of(BackboneSpec.class.getPermittedSubclasses())
            // Networks round by the number of threads: the module torch has tests of its own.
            .filter(spec -> spec != BackboneSpec.Network.class)
            .map(spec -> "Of" + spec.getSimpleName())
            .collect(Collectors.toSet());
    assertEquals(kinds, tried);
  }
}
