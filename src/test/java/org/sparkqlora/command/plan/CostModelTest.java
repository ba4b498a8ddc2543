package org.sparkqlora.command.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.train.GradientDtype;

class CostModelTest {
    private static final Offset<Double> ROUNDING = within(1e-9);

    /** Numbers that are easy to compute with: 100 MB a second, all of it used. */
    private static final CostConstants CONSTANTS =
            new CostConstants(1, 50e6, 200e6, 1e6, 0.01, 0.002, 0.1, 0.001, 1, 1);

    private static final CostModel MODEL = new CostModel(CONSTANTS, 100e6);

    @Test
    void aStepOfFourShardsIsAsComputedByHand() {
        CostModel.StepCost cost = MODEL.of(new StepShape(2_000_000, 4, 4, 2, GradientDtype.FP32, false), 10);

        double remote = 0.75;
        double write = 8e6 / 50e6;
        // 4 executors add a part each: 8 MB in 4 blocks, the last of them once it is there
        double add = remote * 8e6 / 100e6 + 8e6 / 200e6 / 4 + 4 * 0.01;
        // another one takes each part first, 2 MB, and then all take all 4 from each other
        double take = remote * (2e6 + 8e6) / 100e6 + 4 * 0.01;
        double apply = 2e6 / 2e6;
        assertThat(cost.compute()).isEqualTo(10);
        assertThat(cost.exchange()).isCloseTo(write + add + take + apply, ROUNDING);
        double gradients = 0.1 + 4 * 0.002 + 4 * 4 * 0.001;
        double sums = 0.1 + 4 * 0.002 + 4 * 4 * 0.001;
        assertThat(cost.driver()).isCloseTo(4 * 2048 / 100e6 + gradients + sums, ROUNDING);
        assertThat(cost.shareOfIdeal()).isCloseTo(10 / cost.total(), ROUNDING);
    }

    @Test
    void ownersOfPartsOfTheStateTakeSumsAndOthersTheirParameters() {
        StepShape replicated = new StepShape(2_000_000, 4, 4, 2, GradientDtype.BF16, false);
        CostModel.StepCost each = MODEL.of(replicated, 10);
        CostModel.StepCost sharded = MODEL.of(new StepShape(2_000_000, 4, 4, 2, GradientDtype.BF16, true), 10);

        double remote = 0.75;
        // each of 4 executors has 2 of 4 parts: 2 MB of the sum in 2 blocks, and a million numbers to move into new
        // memory
        double own = remote * 2e6 / 100e6 + 2 * 0.01 + 3 * 1e6 / 2e6;
        double parameters = remote * (2e6 + 8e6) / 100e6 + 4 * 0.01;
        double sums = remote * (1e6 + 4e6) / 100e6 + 4 * 0.01;
        double apply = 2e6 / 2e6;
        assertThat(sharded.exchange() - each.exchange()).isCloseTo(own + parameters - sums - apply, ROUNDING);
        assertThat(sharded.driver() - each.driver()).isCloseTo(0.1 + 4 * 0.002 + 4 * 4 * 0.001, ROUNDING);
    }

    @Test
    void manyShardsAreAddedByThirtyTwoAndThenTheirSums() {
        CostModel.StepCost cost = MODEL.of(new StepShape(64_000_000, 1000, 500, 1, GradientDtype.BF16, false), 10);

        double remote = 499.0 / 500;
        double write = 128e6 / 50e6;
        // 32 x 32 tasks on 500 executors add 1,000 vectors of 128 MB in 32 blocks each
        double neighbours = remote * 256e6 / 100e6 + 256e6 / 200e6 * 32 / 1000 + 64 * 0.01;
        // 32 tasks add 32 sums of 256 MB in float32
        double sums = remote * 256e6 / 100e6 + 256e6 / 200e6 / 32 + 32 * 0.01;
        // 14 take each part of 4 MB first; then 15 copies of 32 parts are on 480 executors, which send 128 MB to 500
        double take = remote * 14 * 4e6 / 100e6 + 500.0 / 480 * (remote * 128e6 / 100e6 + 32 * 0.01);
        double apply = 64e6 / 1e6;
        assertThat(cost.exchange()).isCloseTo(write + neighbours + sums + take + apply, ROUNDING);
        double driver = 3 * 0.1 + (1000 + 1024 + 32) * 0.002 + 4 * (500 + 500 + 32) * 0.001 + 1000 * 2048 / 100e6;
        assertThat(cost.driver()).isCloseTo(driver, ROUNDING);
    }

    @Test
    void whereAdditionIsSlowerThanTheNetworkFetchingHidesBehindIt() {
        CostModel quick = new CostModel(CONSTANTS, 1000e6);
        CostModel.StepCost cost = quick.of(new StepShape(2_000_000, 4, 4, 2, GradientDtype.FP32, false), 10);

        double remote = 0.75;
        double add = 8e6 / 200e6 + remote * 8e6 / 1000e6 / 4 + 4 * 0.01;
        double take = remote * (2e6 + 8e6) / 1000e6 + 4 * 0.01;
        assertThat(cost.exchange()).isCloseTo(8e6 / 50e6 + add + take + 2e6 / 2e6, ROUNDING);
    }

    @ParameterizedTest(name = "{0} numbers from {1} shards are cut into {2}")
    @CsvSource({
        "1000, 1000, 1",
        "4884480, 8, 8",
        "4884480, 64, 19",
        "45000000, 8, 16",
        "45000000, 1000, 32",
        "1000000000, 8, 60"
    })
    void aVectorIsCutIntoPartsByItsLengthAndTheSlots(long parameters, int shards, int parts) {
        assertThat(new StepShape(parameters, shards, shards, 1, GradientDtype.FP32, false).parts())
                .isEqualTo(parts);
    }

    @Test
    void oneExecutorTakesNothingFromOthers() {
        CostModel slow = new CostModel(CONSTANTS, 1);
        StepShape shape = new StepShape(1_000, 1, 1, 1, GradientDtype.FP32, false);

        assertThat(slow.of(shape, 1).exchange()).isCloseTo(MODEL.of(shape, 1).exchange(), ROUNDING);
    }
}
