"""What the usual metrics measure, which way they get better, and between which ends they lie.

Over 300 lines: the table is that long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache


class Kind(StrEnum):
    """What a metric speaks of."""

    LATENCY = "latency"
    CAPACITY = "capacity"
    RELIABILITY = "reliability"
    COST = "cost"
    QUALITY = "quality"
    SAFETY = "safety"
    DRIFT = "drift"
    BUSINESS = "business"


class Way(StrEnum):
    """Which way a metric gets better."""

    UP = "higher"
    DOWN = "lower"
    EITHER = "as the operator says"


class Measure(StrEnum):
    """What a metric is measured in."""

    TIME = "a time"
    SAVED_TIME = "a time, or a time per month"
    SHARE = "a ratio"
    MONEY = "an amount of money"
    SIZE = "a size"
    NUMBER = "a plain number"
    COUNT = "a count"
    THROUGHPUT = "a rate"
    VOLUME = "a volume"
    TARGET = "in its target's unit"


@dataclass(frozen=True, slots=True)
class Span:
    """The natural range of a metric in its canonical unit; None where an end is open to infinity."""

    low: Decimal | None = None
    high: Decimal | None = None
    above_low: bool = False
    whole: bool = False

    def holds(self, value: Decimal) -> bool:
        """Whether a metric can have the value."""
        if self.low is not None and (value < self.low or (self.above_low and value == self.low)):
            return False
        if self.high is not None and value > self.high:
            return False
        return not self.whole or value == value.to_integral_value()

    def ends(self, *, percent: bool) -> tuple[str | None, str | None]:
        """Its ends as texts, None where one is open."""
        factor, sign = (100, " %") if percent else (1, "")
        low, high = (None if end is None else f"{end * factor:f}{sign}" for end in (self.low, self.high))
        return low, high


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table; without a span the scale is free and has to be declared."""

    name: str
    kind: Kind
    way: Way
    measure: Measure
    span: Span | None
    unit: str
    """The unit to propose."""
    source: str
    """Who defines it, or where it is usually computed."""
    aliases: tuple[str, ...] = ()
    guess: Decimal | None = None
    """What guessing reaches, where that is known."""
    windowed: bool = False
    """Whether it means nothing without the time over which it is taken."""

    @property
    def is_quality(self) -> bool:
        """Whether it counts as a bound on quality: safety and business do too."""
        return self.kind in (Kind.QUALITY, Kind.SAFETY, Kind.BUSINESS)

    @property
    def is_operation(self) -> bool:
        """Whether it says how the thing runs."""
        return self.kind in (Kind.LATENCY, Kind.COST, Kind.RELIABILITY)


ZERO, ONE, HALF = Decimal(0), Decimal(1), Decimal("0.5")
POSITIVE = Span(ZERO, above_low=True)
FROM_ZERO = Span(ZERO)
UNIT = Span(ZERO, ONE)
SIGNED = Span(Decimal(-1), ONE)
ANY = Span()
COUNTED = Span(ONE, whole=True)
FREE = None


def rows(  # noqa: PLR0917 - the columns of the table
    kind: Kind, way: Way, measure: Measure, span: Span | None, unit: str, source: str, names: str
) -> Iterator[Metric]:
    """Metrics that agree in all but the name; aliases follow a name after `=`."""
    for written in names.split():
        name, *aliases = written.split("=")
        yield Metric(name, kind, way, measure, span, unit, source, tuple(aliases))


LATENCY, CAPACITY, RELIABILITY, COST = Kind.LATENCY, Kind.CAPACITY, Kind.RELIABILITY, Kind.COST
QUALITY, SAFETY, DRIFT, BUSINESS = Kind.QUALITY, Kind.SAFETY, Kind.DRIFT, Kind.BUSINESS
UP, DOWN, EITHER = Way.UP, Way.DOWN, Way.EITHER
TIME, SHARE, MONEY, SIZE, NUMBER = Measure.TIME, Measure.SHARE, Measure.MONEY, Measure.SIZE, Measure.NUMBER

ROWS = (
    *rows(LATENCY, DOWN, TIME, POSITIVE, "ms", "MLPerf Inference",
          "latency=response_time ttft=time_to_first_token tpot=time_per_output_token cold_start "
          "e2e_latency=end_to_end_latency itl=inter_token_latency inference_latency=inference_time "
          "retrieval_latency=retrieval_time rerank_latency embedding_latency tool_latency queue_time "
          "wait_time time_to_first_audio time_to_last_token"),
    *rows(LATENCY, DOWN, TIME, POSITIVE, "min", "MLPerf Training", "batch_duration training_time build_time"),
    *rows(LATENCY, DOWN, NUMBER, FROM_ZERO, "", "Kaldi", "rtf=real_time_factor"),
    *rows(CAPACITY, UP, Measure.THROUGHPUT, FROM_ZERO, "req/s", "MLPerf Inference",
          "throughput=rps=qps requests_per_second=queries_per_second goodput throughput_per_gpu"),
    *rows(CAPACITY, UP, Measure.COUNT, FROM_ZERO, "tokens/s", "vLLM",
          "tokens_per_second output_tokens_per_second=generation_throughput "
          "tokens_per_second_per_gpu=tokens_per_gpu_second"),
    *rows(CAPACITY, UP, Measure.COUNT, FROM_ZERO, "samples/s", "MLPerf Inference", "samples_per_second"),
    *rows(CAPACITY, UP, Measure.COUNT, FROM_ZERO, "images/s", "MLPerf Inference", "images_per_second"),
    *rows(CAPACITY, UP, Measure.COUNT, FROM_ZERO, "frames/s", "MLPerf Inference",
          "fps=frames_per_second=frame_rate"),
    *rows(CAPACITY, UP, Measure.COUNT, COUNTED, "users", "Locust", "concurrency concurrent_users"),
    *rows(CAPACITY, UP, Measure.COUNT, COUNTED, "tokens", "Hugging Face", "context_length=context_window"),
    *rows(CAPACITY, UP, Measure.VOLUME, FROM_ZERO, "records/d", "SRE book", "data_volume"),
    *rows(RELIABILITY, UP, SHARE, UNIT, "%", "SRE book",
          "availability=uptime success_rate slo_attainment=sla_attainment=sla_compliance cache_hit_rate "
          "crash_free_rate job_success_rate on_time_rate"),
    *rows(RELIABILITY, DOWN, SHARE, UNIT, "%", "SRE book",
          "error_rate timeout_rate schema_violation_rate failure_rate crash_rate retry_rate packet_loss "
          "drop_rate throttle_rate rollback_rate"),
    *rows(RELIABILITY, DOWN, SHARE, UNIT, "%", "DORA", "change_failure_rate=change_fail_rate"),
    *rows(RELIABILITY, DOWN, TIME, POSITIVE, "min", "DORA",
          "mttr=time_to_restore=mean_time_to_recovery rollback_time lead_time=lead_time_for_changes"),
    *rows(RELIABILITY, UP, Measure.COUNT, FROM_ZERO, "deployments/week", "DORA",
          "deployment_frequency=deploy_frequency"),
    *rows(RELIABILITY, DOWN, TIME, POSITIVE, "min", "SRE book",
          "mttd=mean_time_to_detect mtta=mean_time_to_acknowledge"),
    *rows(RELIABILITY, DOWN, TIME, FROM_ZERO, "h", "ISO 22301",
          "rto=recovery_time_objective=recovery_time rpo=recovery_point_objective downtime"),
    *rows(RELIABILITY, UP, TIME, POSITIVE, "h", "IEC 61703",
          "mtbf=mean_time_between_failures mttf=mean_time_to_failure"),
    *rows(RELIABILITY, DOWN, TIME, FROM_ZERO, "h", "ISO/IEC 25012",
          "data_freshness=data_age data_lag=ingestion_lag"),
    *rows(RELIABILITY, UP, SHARE, UNIT, "%", "ISO/IEC 25012", "completeness=data_completeness data_validity"),
    *rows(RELIABILITY, DOWN, SHARE, UNIT, "%", "ISO/IEC 25012",
          "null_rate=missing_rate duplicate_rate data_quality_issue_rate"),
    *rows(COST, DOWN, Measure.COUNT, FROM_ZERO, "tokens", "OpenTelemetry",
          "tokens_per_request tokens_per_task=tokens_per_query"),
    *rows(COST, DOWN, Measure.COUNT, FROM_ZERO, "steps", "Inspect", "steps_per_task"),
    *rows(COST, DOWN, Measure.COUNT, FROM_ZERO, "turns", "Inspect", "turns_per_task=turns_per_conversation"),
    *rows(COST, DOWN, Measure.COUNT, FROM_ZERO, "calls", "Inspect", "tool_calls_per_task llm_calls_per_task"),
    *rows(COST, DOWN, SIZE, POSITIVE, "GiB", "OpenTelemetry",
          "memory_peak=peak_memory model_size gpu_memory=vram=gpu_memory_peak=peak_gpu_memory "
          "memory_usage=ram_usage index_size storage_size image_size"),
    *rows(COST, DOWN, Measure.COUNT, COUNTED, "parameters", "Hugging Face",
          "model_parameters=parameter_count=parameters"),
    *rows(COST, DOWN, TIME, FROM_ZERO, "h", "MLPerf Training", "gpu_hours=gpu_time"),
    *rows(COST, DOWN, MONEY, FROM_ZERO, "USD/month", "FinOps", "monthly_cost"),
    *rows(COST, DOWN, Measure.TARGET, FROM_ZERO, "", "MLPerf Power",
          "power_draw=power_consumption energy_consumption=energy_use carbon_emissions=carbon_footprint"),
    *rows(COST, EITHER, SHARE, UNIT, "%", "OpenTelemetry",
          "gpu_utilization cpu_utilization memory_utilization"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "scikit-learn",
          "accuracy precision recall=sensitivity=tpr specificity=tnr f1=f_beta=f1_score "
          "auprc=pr_auc=auc_pr average_precision macro_f1=f1_macro micro_f1=f1_micro "
          "weighted_f1=f1_weighted macro_precision=precision_macro macro_recall=recall_macro "
          "micro_precision=precision_micro micro_recall=recall_micro ppv=positive_predictive_value "
          "npv=negative_predictive_value top_k_accuracy jaccard=jaccard_index subset_accuracy "
          "detection_rate token_accuracy"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "scikit-learn", "balanced_accuracy auroc=roc_auc=auc"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "Rasa", "intent_accuracy slot_f1 entity_f1=ner_f1 command_accuracy"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "TREC",
          "ndcg_at_k=ndcg mrr hit_rate hit_rate_at_k recall_at_k precision_at_k "
          "map=mean_average_precision map_at_k mrr_at_k f1_at_k coverage_at_k catalog_coverage "
          "r_precision"),
    # Mean cosines: below zero is rare, and possible.
    *rows(QUALITY, UP, SHARE, SIGNED, "%", "Ragas", "answer_relevancy=answer_relevance=response_relevancy"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "Ragas",
          "context_precision context_recall "
          "groundedness faithfulness answer_correctness answer_similarity=semantic_similarity "
          "context_relevancy=context_relevance context_entity_recall factual_correctness topic_adherence "
          "agent_goal_accuracy=goal_accuracy"),
    *rows(QUALITY, DOWN, SHARE, UNIT, "%", "Ragas", "noise_sensitivity"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "ALCE",
          "citation_accuracy citation_precision citation_recall citation_coverage=attribution_rate"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "DeepEval",
          "tool_correctness tool_call_accuracy=tool_accuracy tool_selection_accuracy argument_correctness "
          "task_completion_rate=task_completion plan_adherence role_adherence knowledge_retention "
          "conversation_completeness json_correctness=json_validity=schema_compliance prompt_alignment"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "HELM",
          "exact_match pass_at_k win_rate task_success_rate "
          "instruction_following_rate=instruction_following format_compliance session_completion_rate "
          "step_success_rate test_pass_rate compile_rate resolve_rate=resolved_rate"),
    *rows(QUALITY, UP, NUMBER, SIGNED, "", "scikit-learn",
          "mcc=matthews_corrcoef cohen_kappa=kappa human_agreement weighted_kappa gini "
          "silhouette=silhouette_score ari=adjusted_rand_index"),
    *rows(QUALITY, UP, NUMBER, SIGNED, "", "SciPy",
          "pearson=pearson_r spearman=spearman_rho kendall_tau"),
    *rows(QUALITY, UP, NUMBER, SIGNED, "", "Krippendorff 2004", "krippendorff_alpha"),
    *rows(QUALITY, UP, NUMBER, UNIT, "", "scikit-learn", "nmi v_measure homogeneity"),
    *rows(QUALITY, UP, NUMBER, UNIT, "", "SciPy", "ks_separation"),
    *rows(QUALITY, UP, NUMBER, FROM_ZERO, "", "mlxtend", "lift"),
    *rows(QUALITY, UP, NUMBER, FROM_ZERO, "", "scikit-learn", "calinski_harabasz"),
    *rows(QUALITY, DOWN, NUMBER, FROM_ZERO, "", "scikit-learn",
          "log_loss cross_entropy=cross_entropy_loss hinge_loss davies_bouldin rmsle msle"),
    # Of more than two classes it goes up to 2.
    *rows(QUALITY, DOWN, NUMBER, Span(ZERO, Decimal(2)), "", "scikit-learn", "brier=brier_score"),
    *rows(QUALITY, DOWN, NUMBER, UNIT, "", "torchmetrics",
          "ece=expected_calibration_error mce=maximum_calibration_error"),
    *rows(QUALITY, DOWN, SHARE, UNIT, "%", "scikit-learn",
          "fpr=false_positive_rate fnr=false_negative_rate fdr=false_discovery_rate false_omission_rate "
          "misclassification_rate=classification_error hamming_loss false_alarm_rate miss_rate"),
    *rows(QUALITY, EITHER, SHARE, UNIT, "%", "MAPIE",
          "coverage abstention_rate interval_coverage=coverage_probability=picp "
          "prediction_interval_coverage"),
    *rows(QUALITY, DOWN, Measure.TARGET, FROM_ZERO, "", "scikit-learn",
          "rmse=root_mean_squared_error mae=mean_absolute_error mse=mean_squared_error "
          "median_absolute_error=medae max_error pinball_loss=quantile_loss"),
    *rows(QUALITY, DOWN, Measure.TARGET, FROM_ZERO, "", "Gneiting and Raftery 2007", "crps"),
    *rows(QUALITY, DOWN, Measure.TARGET, FROM_ZERO, "", "MAPIE", "interval_width=mpiw"),
    *rows(QUALITY, EITHER, Measure.TARGET, ANY, "", "Hyndman", "bias=mean_error=mbe forecast_bias"),
    *rows(QUALITY, DOWN, NUMBER, FROM_ZERO, "", "Hyndman", "mase rmsse nrmse theil_u"),
    *rows(QUALITY, DOWN, SHARE, FROM_ZERO, "%", "Hyndman",
          "mape=mean_absolute_percentage_error wape=wmape mdape"),
    *rows(QUALITY, DOWN, SHARE, Span(ZERO, Decimal(2)), "%", "Hyndman", "smape"),
    *rows(QUALITY, UP, SHARE, Span(None, ONE), "%", "Hyndman", "forecast_accuracy"),
    *rows(QUALITY, UP, NUMBER, Span(None, ONE), "", "scikit-learn",
          "r2=r_squared adjusted_r2 explained_variance brier_skill_score"),
    *rows(QUALITY, UP, NUMBER, Span(None, ONE), "", "Nash and Sutcliffe 1970", "nse"),
    *rows(QUALITY, DOWN, SHARE, FROM_ZERO, "%", "NIST SCTK",
          "wer=word_error_rate cer=character_error_rate phoneme_error_rate der=diarization_error_rate"),
    *rows(QUALITY, DOWN, SHARE, UNIT, "%", "NIST SCTK", "sentence_error_rate"),
    *rows(QUALITY, DOWN, SHARE, UNIT, "%", "ISO/IEC 19795",
          "eer=equal_error_rate far=false_acceptance_rate frr=false_rejection_rate"),
    *rows(QUALITY, UP, NUMBER, Span(ONE, Decimal(5)), "", "ITU-T P.800", "mos=mean_opinion_score"),
    *rows(QUALITY, UP, NUMBER, Span(-HALF, Decimal("4.64")), "", "ITU-T P.862", "pesq"),
    *rows(QUALITY, UP, NUMBER, SIGNED, "", "torchmetrics", "stoi ssim=structural_similarity ms_ssim"),
    *rows(QUALITY, UP, Measure.TARGET, ANY, "", "torchmetrics", "psnr snr si_sdr=si_snr"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "COCO",
          "map_at_50_95=coco_map ap50=map50 ap75=map75 iou miou=mean_iou panoptic_quality=pq"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "MONAI", "dice=dice_coefficient=dice_score pixel_accuracy"),
    *rows(QUALITY, DOWN, Measure.TARGET, FROM_ZERO, "", "MONAI", "hausdorff_distance"),
    *rows(QUALITY, UP, SHARE, Span(None, ONE), "%", "MOTChallenge", "mota"),
    *rows(QUALITY, UP, SHARE, UNIT, "%", "MOTChallenge", "idf1 hota"),
    *rows(QUALITY, DOWN, NUMBER, FROM_ZERO, "", "torchmetrics", "fid=frechet_inception_distance lpips"),
    # Its estimator has no bias, and so may come out below zero.
    *rows(QUALITY, DOWN, NUMBER, ANY, "", "torchmetrics", "kid"),
    *rows(QUALITY, UP, NUMBER, Span(ONE), "", "torchmetrics", "inception_score"),
    *rows(QUALITY, UP, NUMBER, FREE, "", "Hugging Face evaluate",
          "bleu=sacrebleu rouge_l=rouge bertscore=bert_score human_rating rouge_1=rouge1 rouge_2=rouge2 "
          "rouge_lsum meteor chrf=chrf_pp comet bleurt gleu codebleu"),
    *rows(QUALITY, UP, NUMBER, FREE, "", "COCO", "cider spice"),
    *rows(QUALITY, UP, NUMBER, FREE, "", "torchmetrics", "clip_score"),
    *rows(QUALITY, UP, NUMBER, FREE, "", "MT-Bench",
          "llm_judge_score=judge_score mt_bench elo=elo_rating helpfulness"),
    *rows(QUALITY, UP, NUMBER, FREE, "", "G-Eval",
          "g_eval=geval coherence fluency consistency relevance"),
    *rows(QUALITY, DOWN, SHARE, FROM_ZERO, "%", "SacreBLEU", "ter=translation_edit_rate"),
    *rows(QUALITY, DOWN, NUMBER, UNIT, "", "torchmetrics", "normalized_edit_distance"),
    *rows(QUALITY, DOWN, NUMBER, Span(ONE), "", "Hugging Face evaluate", "perplexity"),
    *rows(SAFETY, DOWN, SHARE, UNIT, "%", "HELM",
          "hallucination_rate toxicity_rate pii_leak_rate jailbreak_success_rate "
          "false_refusal_rate=over_refusal_rate unsupported_claim_rate=unsupported_claims_rate "
          "policy_violation_rate attack_success_rate prompt_injection_success_rate "
          "unsafe_response_rate=harmful_response_rate data_leak_rate bias_rate"),
    *rows(SAFETY, DOWN, SHARE, UNIT, "%", "Fairlearn",
          "fairness_gap=parity_difference demographic_parity_difference=demographic_parity_gap "
          "equalized_odds_difference equal_opportunity_difference accuracy_gap=subgroup_gap "
          "recall_gap=tpr_gap fpr_gap"),
    *rows(SAFETY, UP, SHARE, UNIT, "%", "Fairlearn", "demographic_parity_ratio equalized_odds_ratio"),
    *rows(SAFETY, EITHER, NUMBER, FROM_ZERO, "", "AIF360", "disparate_impact_ratio=disparate_impact"),
    *rows(SAFETY, EITHER, SHARE, SIGNED, "%", "AIF360", "statistical_parity_difference"),
    *rows(SAFETY, UP, SHARE, UNIT, "%", "HELM", "harmful_refusal_rate"),
    *rows(SAFETY, EITHER, SHARE, UNIT, "%", "HELM", "refusal_rate"),
    *rows(DRIFT, DOWN, NUMBER, FROM_ZERO, "", "Evidently",
          "psi=population_stability_index kl_divergence wasserstein=wasserstein_distance mmd"),
    *rows(DRIFT, DOWN, NUMBER, UNIT, "", "Evidently",
          "js_divergence=js_distance ks_statistic hellinger=hellinger_distance"),
    *rows(DRIFT, DOWN, SHARE, UNIT, "%", "Evidently",
          "drifted_features_share=share_of_drifted_features"),
    *rows(DRIFT, DOWN, SHARE, UNIT, "%", "TensorFlow Data Validation", "training_serving_skew"),
    *rows(BUSINESS, UP, SHARE, UNIT, "%", "ISO 18295",
          "deflection_rate=containment=containment_rate "
          "first_contact_resolution=fcr=first_call_resolution resolution_rate=issue_resolution_rate "
          "self_service_rate automation_rate straight_through_rate=stp_rate "
          "acceptance_rate=suggestion_acceptance_rate satisfaction_rate"),
    *rows(BUSINESS, UP, SHARE, UNIT, "%", "HEART",
          "adoption_rate retention_rate activation_rate completion_rate engagement_rate"),
    *rows(BUSINESS, UP, SHARE, UNIT, "%", "Google Ads", "ctr=click_through_rate conversion_rate=cvr"),
    *rows(BUSINESS, UP, SHARE, UNIT, "%", "ISO 22400", "first_pass_yield=yield_rate oee"),
    *rows(BUSINESS, DOWN, SHARE, UNIT, "%", "ISO 22400", "defect_rate scrap_rate rework_rate"),
    *rows(BUSINESS, DOWN, SHARE, UNIT, "%", "ISO 18295",
          "escalation_rate override_rate human_intervention_rate=intervention_rate "
          "handoff_rate=transfer_rate fallback_rate abandonment_rate=abandon_rate reopen_rate "
          "complaint_rate manual_review_rate churn_rate bounce_rate"),
    *rows(BUSINESS, DOWN, TIME, POSITIVE, "min", "ISO 18295",
          "handle_time=aht=average_handle_time first_response_time resolution_time=time_to_resolution "
          "processing_time cycle_time=pr_cycle_time review_time routing_time=lead_routing_time "
          "onboarding_time"),
    *rows(BUSINESS, UP, NUMBER, FREE, "", "ISO 10004", "csat"),
    *rows(BUSINESS, EITHER, NUMBER, FREE, "", "Dixon and others 2010", "ces=customer_effort_score"),
    *rows(BUSINESS, UP, NUMBER, Span(ZERO, Decimal(100)), "", "Brooke 1996", "sus=system_usability_scale"),
    *rows(BUSINESS, UP, NUMBER, Span(Decimal(-100), Decimal(100)), "", "Bain", "nps=net_promoter_score"),
    *rows(BUSINESS, UP, Measure.COUNT, FROM_ZERO, "users", "HEART",
          "active_users dau=daily_active_users mau wau"),
    *rows(BUSINESS, UP, MONEY, ANY, "USD", "FinOps", "cost_saving=cost_savings=cost_saved revenue_uplift"),
    *rows(BUSINESS, UP, SHARE, Span(None, ONE), "%", "FinOps",
          "cost_reduction=cost_saved_share time_reduction=time_saved_share error_reduction"),
    *rows(BUSINESS, UP, SHARE, ANY, "%", "FinOps", "roi=return_on_investment"),
    *rows(BUSINESS, UP, Measure.SAVED_TIME, ANY, "h", "SPACE", "time_saved"),
)  # fmt: skip
GUESSED = frozenset({"accuracy", "balanced_accuracy", "auroc"})
WINDOWED = frozenset({"availability"})
TABLE = {
    row.name: replace(row, guess=HALF if row.name in GUESSED else None, windowed=row.name in WINDOWED)
    for row in ROWS
}
NAMES = {alias: row.name for row in ROWS for alias in (row.name, *row.aliases)}

MEAN = "mean"
STATISTICS = "p[0-9]{1,4}|mean|avg|average|median|max|min"
STATISTIC = re.compile(rf"(?P<name>[a-z0-9_]+?)_(?P<statistic>{STATISTICS})")
FIRST = re.compile(rf"(?P<statistic>{STATISTICS})_(?P<name>[a-z0-9_]+)")
BARE = re.compile(r"p[0-9]{2,4}")
PERCENTILE = re.compile(r"p(?:0*[1-9][0-9]?|100|9[0-9]{2}|99[0-9]{2})")
"""The digits behind 90 or 99 are decimals: p999 is 99.9 %."""
AT_K = re.compile(r"_at_[0-9]{1,6}$")
TOP_K = re.compile(r"top_?[0-9]{1,4}_accuracy")
AT_POINT = re.compile(r"(?P<name>[a-z]+)_at_(?:recall|precision|fpr|fnr|tpr|specificity|sensitivity)_[0-9_]+")
"""One measure where another is fixed: it lies in the range of the first."""
AT_NONE = re.compile(r"_at_0+$")
COST_PER = re.compile(r"cost_per_[a-z0-9_]+")
SPELLED = {"avg": MEAN, "average": MEAN, "median": "p50"}


@lru_cache(maxsize=512)
def metric_of(written: str) -> Metric | None:
    """The metric that a name, an alias, or either with its statistic stands for."""
    if COST_PER.fullmatch(written):
        return Metric(written, COST, DOWN, MONEY, FROM_ZERO, "USD", "FinOps")
    if BARE.fullmatch(written):
        written = f"latency_{written}"
    point = AT_POINT.fullmatch(written)
    listed = point["name"] if point else TOP_K.sub("top_k_accuracy", AT_K.sub("_at_k", written))
    row = TABLE.get(NAMES.get(listed, ""))
    if row:
        return row if written in NAMES else replace(row, name=written)
    name, statistic = with_statistic(written)
    base = TABLE.get(NAMES.get(name, ""))
    if base is None or base.measure in (SHARE, NUMBER):
        return None
    return replace(base, name=f"{base.name}_{statistic}")


def with_statistic(written: str) -> tuple[str, str]:
    """A name without its statistic, and the statistic, empty where there is none."""
    match = STATISTIC.fullmatch(written) or FIRST.fullmatch(written)
    if match is None:
        return written, ""
    return match["name"], SPELLED.get(match["statistic"], match["statistic"])


RATE = Metric("rate", BUSINESS, EITHER, SHARE, UNIT, "%", "")
ENDINGS = {
    **{f"_{name}": TABLE[name] for name in (
        "latency", "accuracy", "precision", "recall", "f1", "error_rate", "failure_rate",
        "timeout_rate", "success_rate", "hit_rate", "hallucination_rate", "availability",
    )},
    "_cost": TABLE["monthly_cost"],
    "_memory": TABLE["memory_peak"],
    "_growth_rate": replace(RATE, span=ANY),
    "_rate": RATE,
}  # fmt: skip
"""What the end of a name says of a metric that is not in the table; the longer ends come first."""


@lru_cache(maxsize=512)
def metric_by_ending(written: str) -> Metric | None:
    """What the end of a name says of a metric that is not in the table."""
    name = with_statistic(written)[0]
    found = next((row for ending, row in ENDINGS.items() if name.endswith(ending)), None)
    return replace(found, name=written, aliases=()) if found else None


def misnumbered(written: str) -> str | None:
    """What to write instead of a number in a known metric's name that is none: p200, at 0."""
    if metric_of(written) is None and metric_by_ending(written) is None:
        return None
    if AT_NONE.search(written):
        return AT_NONE.sub("_at_5", written)
    statistic = with_statistic(written)[1] or (written if BARE.fullmatch(written) else "")
    if not statistic.startswith("p") or PERCENTILE.fullmatch(statistic):
        return None
    return f"{written.replace(statistic, '').strip('_') or 'latency'}_p95"


def canonical_name(written: str) -> str:
    """The name by which two lines on one metric know each other."""
    metric = metric_of(written)
    return metric.name if metric else written
