package org.sparkqlora.bigdl;

import com.intel.analytics.bigdl.dllib.optim.parameters.AllReduceParameter;
import com.intel.analytics.bigdl.dllib.utils.Engine$;
import java.io.Serializable;

/**
 * BigDL's all-reduce as its own training uses it, to be timed: blocks made once and written in place, so tasks must not move;
 * the sum ends in every executor and not in the driver; nothing notices a slice that is missing.
 */
public final class OwnAllReduce implements Serializable {
    private static final long serialVersionUID = 1L;

    private final int length;
    private final AllReduceParameter<Object> parameter;

    /** Driver only. */
    public OwnAllReduce(int partitions, int length) {
        this.length = length;
        this.parameter = AllReduceParameter.newParameter(
                partitions, length, 1, "none", FloatTensors.tag(), FloatTensors.arithmetic());
    }

    /** Runs once in the task of each partition. */
    public void init() {
        Engine$.MODULE$.setNodeAndCore(1, 1);
        parameter.init(FloatTensors.of(new float[length]), FloatTensors.arithmetic());
    }

    /** Runs in each task of a first job. */
    public void put(float[] gradient) {
        parameter.putGradients(FloatTensors.of(gradient));
    }

    /** Runs in each task of a second job. */
    public void reduce() {
        parameter.aggregateGradientPartition(1);
        parameter.weightPartition().copy(parameter.gradientPartition());
        parameter.sendWeightPartition();
    }

    /** Runs in each task of a third job: the whole sum. */
    public float[] take() {
        float[] sum = new float[length];
        parameter.getWeights(FloatTensors.of(sum)).waitResult();
        return sum;
    }
}
