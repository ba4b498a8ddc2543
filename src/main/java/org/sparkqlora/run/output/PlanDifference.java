package org.sparkqlora.run.output;

import java.util.List;
import java.util.Map;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.TrainPlanJson;

/**
 * The differences between a plan and the one that its run was begun with, in the words of the command line.
 *
 * @param differences a line a value
 * @param length whether the number of steps is among them
 */
record PlanDifference(List<String> differences, boolean length) {
    private static final String STEPS = "the number of steps (--max-steps, --epochs)";
    private static final Map<String, String> OPTIONS = Map.ofEntries(
            Map.entry("batches.batch_size", "--batch-size"),
            Map.entry("batches.end_position", STEPS + " in rows"),
            Map.entry("batches.local_steps", "--local-steps"),
            Map.entry("batches.micro_batch_size", "--micro-batch-size"),
            Map.entry("batches.order", "the order of rows (--no-shuffle)"),
            Map.entry("batches.rows", "the number of rows"),
            Map.entry("batches.shards", "--shards"),
            Map.entry("initial_adapter", "--init-adapter"),
            Map.entry("lora.exclude_modules", "--exclude-modules"),
            Map.entry("lora.init_lora_weights", "--init-lora-weights"),
            Map.entry("lora.layers_to_transform", "--layers-to-transform"),
            Map.entry("lora.modules_to_save", "--modules-to-save"),
            Map.entry("lora.target_modules", "--target-modules"),
            Map.entry("lora.target_parameters", "--target-parameters"),
            Map.entry("lora.use_dora", "--use-dora"),
            Map.entry("lora.use_rslora", "--use-rslora"),
            Map.entry("lora.alpha", "--alpha"),
            Map.entry("lora.dropout", "--dropout"),
            Map.entry("lora.rank", "--rank"),
            Map.entry("max_grad_norm", "--max-grad-norm"),
            Map.entry("method", "--method"),
            Map.entry("model", "--model"),
            Map.entry("neftune_noise_alpha", "--neftune-noise-alpha"),
            Map.entry("router_aux_loss_coef", "--router-aux-loss-coef"),
            Map.entry("optimizer.beta1", "--adam-beta1"),
            Map.entry("optimizer.beta2", "--adam-beta2"),
            Map.entry("optimizer.epsilon", "--adam-epsilon"),
            Map.entry("optimizer.kind", "--optimizer"),
            Map.entry("optimizer.loraplus_lr_ratio", "--loraplus-ratio"),
            Map.entry("optimizer.weight_decay", "--weight-decay"),
            Map.entry("precision", "--precision"),
            Map.entry("quant.code", "--quant"),
            Map.entry("quant.double_quant", "double quantisation (--no-double-quant)"),
            Map.entry("schedule.kind", "--schedule"),
            Map.entry("schedule.learning_rate", "--learning-rate"),
            Map.entry("schedule.total_steps", STEPS),
            Map.entry("schedule.warmup_steps", "the warm-up (--warmup-steps, --warmup-ratio)"),
            Map.entry("seed", "--seed"),
            Map.entry("wire", "--wire"));

    static PlanDifference of(TrainPlan before, TrainPlan asked) {
        List<String> differences = TrainPlanJson.differences(before, asked).stream()
                .map(PlanDifference::inOptions)
                .toList();
        return new PlanDifference(
                differences, before.batches().endPosition() != asked.batches().endPosition());
    }

    @Override
    public String toString() {
        return String.join("; ", differences);
    }

    /** Of {@code key is X, was Y}; what no option decides keeps its name in the file. */
    private static String inOptions(String difference) {
        int end = difference.indexOf(' ');
        String key = difference.substring(0, end);
        return OPTIONS.getOrDefault(key, key) + difference.substring(end);
    }
}
