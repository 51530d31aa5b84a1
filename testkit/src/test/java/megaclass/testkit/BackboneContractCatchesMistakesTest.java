// SPDX-License-Identifier: Apache-2.0
package megaclass.testkit;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import megaclass.backbone.Backbone;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.BagBackbone;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.compute.RowUpdate;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import org.junit.jupiter.api.Test;

/** Bags that are wrong in one way each do not pass the contract; one that is not passes. */
class BackboneContractCatchesMistakesTest {
  private static final int DIM = 5;

  /** A bag; subclasses get something wrong. Owns its table. */
  private static class Wrong implements Backbone {
    private final RowMatrix table = new RowMatrix(61, DIM, RowMatrix.State.NONE);
    private final BagBackbone bag;
    final Engine engine;

    Wrong(Engine engine) {
      this.engine = engine;
      table.randomise(1, DIM, 99, engine.workers());
      var spec = BackboneSpec.parse("bag(chars=0-0, words=1, buckets=61, dropout=0.3)");
      bag = new BagBackbone((BackboneSpec.Bag) spec, table, 5, engine);
    }

    @Override
    public int dim() {
      return DIM;
    }

    @Override
    public RowMatrix parameters() {
      return table;
    }

    @Override
    public void read(MiniBatch batch, boolean training) {
      bag.read(batch, training);
    }

    @Override
    public int numTouched() {
      return bag.numTouched();
    }

    @Override
    public int touched(int i) {
      return bag.touched(i);
    }

    @Override
    public void forward(Embeddings into) {
      bag.forward(into);
    }

    @Override
    public void backward(Embeddings embeddings, RowUpdate update) {
      bag.backward(embeddings, update);
    }

    @Override
    public void close() {
      table.close();
    }

    /** Adds to one value of the first embedding. */
    static void add(Embeddings into, int column, float more) {
      var row = floats(into.row(0), into.stride());
      float value = row.getAtIndex(JAVA_FLOAT_UNALIGNED, column);
      row.setAtIndex(JAVA_FLOAT_UNALIGNED, column, value + more);
    }

    static MemorySegment floats(long address, int count) {
      return MemorySegment.ofAddress(address).reinterpret(4L * count);
    }
  }

  /** How a backbone under test is made. */
  @FunctionalInterface
  private interface Maker {
    Backbone make(Engine engine);
  }

  private static final class Tried extends BackboneContract {
    private final Maker maker;

    Tried(Maker maker) {
      this.maker = maker;
    }

    @Override
    protected Dataset examples() {
      String[] texts =
          IntStream.range(0, 200).mapToObj(i -> i + " a " + i % 7).toArray(String[]::new);
      return Dataset.of(texts, texts);
    }

    @Override
    protected Backbone backbone(Engine engine) {
      return maker.make(engine);
    }
  }

  private static void run(Maker maker, Consumer<BackboneContract> test) {
    var contract = new Tried(maker);
    contract.openExamples();
    try {
      test.accept(contract);
    } finally {
      contract.closeExamples();
    }
  }

  private static void assertFails(Maker maker, Consumer<BackboneContract> test) {
    run(Wrong::new, test);
    assertThrows(AssertionError.class, () -> run(maker, test));
  }

  @Test
  void aGradientThatIsTooLargeIsCaught() {
    assertFails(
        engine ->
            new Wrong(engine) {
              @Override
              public void backward(Embeddings embeddings, RowUpdate update) {
                super.backward(
                    embeddings,
                    (row, gradient, worker) -> {
                      engine.backend().scaled(gradient, 1.02f, 16, gradient);
                      update.update(row, gradient, worker);
                    });
              }
            },
        contract -> contract.gradientsMatchCentralDifferences(65));
  }

  @Test
  void aGradientThatIsNotPaddedIsCaught() {
    assertFails(
        engine ->
            new Wrong(engine) {
              @Override
              public void backward(Embeddings embeddings, RowUpdate update) {
                super.backward(
                    embeddings,
                    (row, gradient, worker) -> {
                      floats(gradient, 16).setAtIndex(JAVA_FLOAT_UNALIGNED, DIM, 1);
                      update.update(row, gradient, worker);
                    });
              }
            },
        contract -> contract.gradientsMatchCentralDifferences(1));
  }

  @Test
  void aRowWithoutAGradientOrWithTwoIsCaught() {
    for (int times : new int[] {0, 2}) {
      assertFails(
          engine ->
              new Wrong(engine) {
                @Override
                public void backward(Embeddings embeddings, RowUpdate update) {
                  int odd = touched(0);
                  super.backward(
                      embeddings,
                      (row, gradient, worker) -> {
                        for (int i = 0; i < (row == odd ? times : 1); i++) {
                          update.update(row, gradient, worker);
                        }
                      });
                }
              },
          contract -> contract.touchedRowsAreDistinctAndThoseThatGetAGradient(63));
    }
  }

  @Test
  void aRowThatIsListedTwiceIsCaught() {
    assertFails(
        engine ->
            new Wrong(engine) {
              @Override
              public int touched(int i) {
                return super.touched(Math.max(1, i));
              }
            },
        contract -> contract.touchedRowsAreDistinctAndThoseThatGetAGradient(64));
  }

  @Test
  void anEmbeddingThatDependsOnEarlierOnesIsCaught() {
    Maker counting =
        engine ->
            new Wrong(engine) {
              private int calls;

              @Override
              public void forward(Embeddings into) {
                super.forward(into);
                add(into, 0, calls++);
              }
            };
    assertFails(counting, contract -> contract.theSameBatchGivesTheSameEmbeddings(1));
    assertFails(counting, contract -> contract.aLargerBatchLeavesNothingBehind(1));
  }

  @Test
  void whatALargerBatchLeavesBehindIsCaught() {
    assertFails(
        engine ->
            new Wrong(engine) {
              private int largest;

              @Override
              public void forward(Embeddings into) {
                super.forward(into);
                largest = Math.max(largest, into.size());
                add(into, 0, largest);
              }
            },
        contract -> contract.aLargerBatchLeavesNothingBehind(64));
  }

  @Test
  void anEmbeddingThatDependsOnThreadsIsCaught() {
    assertFails(
        engine ->
            new Wrong(engine) {
              @Override
              public void forward(Embeddings into) {
                super.forward(into);
                add(into, 0, 1e-6f * engine.workers().threads());
              }
            },
        contract -> contract.oneThreadAndThreeComputeTheSame(63));
  }

  @Test
  void whatStandsBehindAnEmbeddingIsCaught() {
    assertFails(
        engine ->
            new Wrong(engine) {
              @Override
              public void forward(Embeddings into) {
                super.forward(into);
                add(into, DIM, 1);
              }
            },
        contract -> contract.zerosStandBehindAnEmbedding(true));
  }

  @Test
  void anEmbeddingThatIsNoNumberIsCaught() {
    assertFails(
        engine ->
            new Wrong(engine) {
              @Override
              public void forward(Embeddings into) {
                super.forward(into);
                add(into, 1, Float.NaN);
              }
            },
        BackboneContract::anEmbeddingIsFinite);
  }

  @Test
  void dropoutOutsideTrainingIsCaught() {
    assertFails(
        engine ->
            new Wrong(engine) {
              @Override
              public void read(MiniBatch batch, boolean training) {
                super.read(batch, true);
              }
            },
        BackboneContract::outsideTrainingTheStepAndTheRestOfTheBatchDoNotMatter);
  }

  @Test
  void theInfluenceOfARowThatIsNotTouchedIsCaught() {
    assertFails(
        engine ->
            new Wrong(engine) {
              @Override
              public void forward(Embeddings into) {
                super.forward(into);
                for (int row = 0; row < 61; row++) {
                  add(into, 0, 1e-9f * parameters().get(row, 0));
                }
              }
            },
        contract -> contract.aRowThatIsNotTouchedHasNoInfluence(1));
  }
}
