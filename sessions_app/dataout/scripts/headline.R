# The headline of the report, computed again from the exported sheets. Base R only.
#
#     Rscript headline.R            prints the table
#     Rscript headline.R --json     prints the numbers in full precision
#
# It reads sheets.zip and manifest.json in the folder in which it is run. The manifest says what the headline
# counts and at which horizon; which series are analysed stands in the sheet analysis, since a calendar month
# does not survive shifted days; everything else is computed here. The report's interval of a share of series or
# lesions is a bootstrap with a fixed seed of another generator of random numbers: headline.py computes it.
# Shares are from 0 to 1; the table prints them in per cent.

archive <- "sheets.zip"
manifest <- paste(readLines("manifest.json", encoding = "UTF-8", warn = FALSE), collapse = " ")
chosen <- function(name) sub(paste0('.*"', name, '": *"([a-z_]+)".*'), "\\1", manifest)
unit <- chosen("unit")
horizon <- chosen("horizon")
units <- c(series = "series", patient = "patients", lesion = "lesions")
horizons <- c(end_of_treatment = "end of treatment", follow_up = "follow-up")
scores <- c(ptga = "PtGA", phga = "PhGA")
outcomes <- c(complete = "Complete remission", partial = "Partial remission",
              none = "No remission", not_evaluable = "Not evaluable")

# One sheet as a table of texts; separated by commas, or as Excel in Denmark has it.
read_sheet <- function(name) {
  file <- unz(archive, paste0(name, ".csv"), encoding = "UTF-8")
  lines <- readLines(file, encoding = "UTF-8", warn = FALSE)
  close(file)
  lines[1] <- sub("^\ufeff", "", enc2utf8(lines[1]))
  danish <- grepl(";", lines[1], fixed = TRUE)
  table <- read.csv(text = lines, sep = if (danish) ";" else ",", colClasses = "character",
                    na.strings = "", encoding = "UTF-8", check.names = FALSE)
  for (column in intersect(names(table), c("series_no", "session_no", names(scores), "longest_mm", "widest_mm"))) {
    table[[column]] <- as.numeric(sub(",", ".", table[[column]], fixed = TRUE))
  }
  table
}

key_of <- function(table) paste(table$patient_id, table$series_no, sep = "\r")

# What is not known stays unknown: R's own & and | have three values.
ptga_decreased <- function(values) {
  later <- values[-1]
  later <- later[!is.na(later)]
  if (length(later) == 0 || is.na(values[1])) NA else later[length(later)] < values[1]
}

ulcer_healed <- function(before, after) {
  if (identical(before, "no")) FALSE else if (is.na(before) || is.na(after)) NA else after == "no"
}

lesion_outcome <- function(seen, decreased) {
  start <- which(seen$status == "present")
  if (length(start) == 0 || start[1] == nrow(seen)) return("not_evaluable")
  baseline <- seen[start[1], ]
  end <- seen[nrow(seen), ]
  if (end$status == "gone") return("complete")
  smaller <- end$longest_mm * end$widest_mm < baseline$longest_mm * baseline$widest_mm
  found <- decreased & (ulcer_healed(baseline$ulcer, end$ulcer) | smaller)
  if (is.na(found)) "not_evaluable" else if (found) "partial" else "none"
}

best <- function(found) {
  for (outcome in c("complete", "partial", "not_evaluable")) if (outcome %in% found) return(outcome)
  if (length(found) > 0) "none" else "not_evaluable"
}

analysis <- read_sheet("analysis")
sessions <- read_sheet("sessions")
lesions <- read_sheet("series_lesions")
seen <- read_sheet("session_lesions")

analysed <- analysis[analysis$analysed == "yes", ]
sessions <- sessions[key_of(sessions) %in% key_of(analysed), ]
sessions <- sessions[order(sessions$patient_id, sessions$series_no, sessions$held_on, sessions$session_no), ]
sessions$place <- seq_len(nrow(sessions))
treatments <- sessions[sessions$kind == "treatment", ]
seen$place <- sessions$place[match(paste(key_of(seen), seen$session_no), paste(key_of(sessions), sessions$session_no))]
seen <- seen[!is.na(seen$place), ]
seen <- seen[order(seen$place), ]

# The outcomes of the lesions of each analysed series, from some of the sessions.
lesion_outcomes <- function(counted) {
  lapply(seq_len(nrow(analysed)), function(row) {
    key <- key_of(analysed[row, ])
    of_series <- counted[key_of(counted) == key, ]
    decreased <- ptga_decreased(of_series$ptga)
    listed <- lesions$lesion_id[key_of(lesions) == key]
    vapply(listed, function(lesion) {
      lesion_outcome(seen[seen$place %in% of_series$place & seen$lesion_id == lesion, ], decreased)
    }, "")
  })
}

# The outcomes of what is counted: the best lesion of a series, the best series of a patient.
counted_outcomes <- function(found, unit) {
  if (unit == "lesion") return(as.character(unlist(found)))
  by_series <- vapply(found, best, "")
  if (unit == "series") return(by_series)
  vapply(split(by_series, analysed$patient_id), best, "")
}

# One measure of the headline.
measure <- function(n, value = NA, low = NA, high = NA, p = NA) list(n = n, value = value, low = low, high = high, p = p)

# Mean decrease from the first to the last treatment, by Student's t; a patient's is the mean of the patient's series.
mean_decrease <- function(score) {
  by_series <- split(treatments[[score]], factor(key_of(treatments), unique(key_of(treatments))))
  decrease <- vapply(by_series, function(values) values[1] - values[length(values)], 0)
  patient <- sub("\r.*", "", names(by_series))[!is.na(decrease)]
  decrease <- decrease[!is.na(decrease)]
  if (unit == "patient") decrease <- vapply(split(decrease, patient), mean, 0)
  n <- length(decrease)
  if (n == 0) return(measure(0L))
  if (length(unique(decrease)) == 1) return(measure(n, mean(decrease)))
  test <- t.test(decrease)
  measure(n, mean(decrease), test$conf.int[1], test$conf.int[2], test$p.value)
}

# The share in remission; Wilson's interval where patients are counted.
share <- function(outcome, inside) {
  n <- length(outcome)
  if (n == 0) return(measure(0L))
  events <- sum(outcome %in% inside)
  # It warns that chi-squared is approximate where there are few; the interval does not use it.
  interval <- if (unit == "patient") suppressWarnings(prop.test(events, n, correct = FALSE))$conf.int else c(NA, NA)
  measure(n, events / n, interval[1], interval[2])
}

# The score of each series before each treatment, and at its last: one element for each time.
times_of <- function(score) {
  by_series <- split(treatments[[score]], factor(key_of(treatments), unique(key_of(treatments))))
  if (length(by_series) == 0) return(list())
  times <- lapply(seq_len(max(lengths(by_series))), function(number) sapply(by_series, function(values) values[number]))
  names(times) <- paste0("before_", seq_along(times))
  c(times, list(last = sapply(by_series, function(values) values[length(values)])))
}

# n, mean, standard deviation and median at each time.
score_times <- function(score) {
  times <- times_of(score)
  unname(lapply(names(times), function(time) {
    values <- times[[time]][!is.na(times[[time]])]
    list(time = time, n = length(values), mean = mean(values), sd = sd(values), median = median(values))
  }))
}

# The same of the decrease from before the first treatment; positive is better.
score_changes <- function(score) {
  times <- times_of(score)
  unname(lapply(names(times)[-1], function(time) {
    values <- times[["before_1"]] - times[[time]]
    values <- values[!is.na(values)]
    list(to = time, n = length(values), mean_decrease = mean(values), sd = sd(values), median_decrease = median(values))
  }))
}

of_horizon <- if (horizon == "end_of_treatment") treatments else sessions
counted <- counted_outcomes(lesion_outcomes(of_horizon), unit)
by_patient <- counted_outcomes(lesion_outcomes(sessions), "patient")
found <- list(
  unit = unit,
  horizon = horizon,
  headline = list(
    ptga = mean_decrease("ptga"),
    phga = mean_decrease("phga"),
    complete = share(counted, "complete"),
    any = share(counted, c("complete", "partial"))
  ),
  scores = sapply(names(scores), score_times, simplify = FALSE),
  change = sapply(names(scores), score_changes, simplify = FALSE),
  remission_by_patient = sapply(names(outcomes), function(outcome) sum(by_patient == outcome), simplify = FALSE)
)

# What is not known is null.
as_json <- function(value) {
  if (is.list(value)) {
    parts <- vapply(value, as_json, "")
    if (is.null(names(value))) return(paste0("[", paste(parts, collapse = ", "), "]"))
    return(paste0("{", paste0('"', names(value), '": ', parts, collapse = ", "), "}"))
  }
  if (is.na(value)) "null" else if (is.character(value)) paste0('"', value, '"') else sprintf("%.17g", value)
}

measures <- c(ptga = "Mean decrease of PtGA, points", phga = "Mean decrease of PhGA, points",
              complete = "Complete remission, %", any = "Complete or partial remission, %")

show <- function(found) {
  cat(sprintf("Headline: %s, %s\n", units[[unit]], horizons[[horizon]]))
  cat(sprintf("  %-34s%5s%9s%18s%10s\n", "", "n", "value", "95% CI", "p"))
  for (name in names(measures)) {
    one <- found$headline[[name]]
    number <- if (name %in% names(scores)) "%.2f" else "%.1f"
    by <- if (name %in% names(scores)) 1 else 100
    value <- if (is.na(one$value)) "" else sprintf(number, by * one$value)
    interval <- if (is.na(one$low)) "" else paste(sprintf(number, by * one$low), "to", sprintf(number, by * one$high))
    p <- if (is.na(one$p)) "" else if (one$p < 0.001) "< 0.001" else sprintf("%.3f", one$p)
    cat(sprintf("  %-34s%5d%9s%18s%10s\n", measures[[name]], one$n, value, interval, p))
  }
  if (unit != "patient" && !is.na(found$headline$any$value)) {
    cat("  The interval of a share of", units[[unit]], "is a bootstrap whose random draws R does not have:",
        "headline.py computes it.\n")
  }
  for (score in names(scores)) {
    cat(sprintf("%-28s%5s%9s%8s%11s%8s\n", scores[[score]], "n", "mean", "SD", "decrease", "SD"))
    for (place in seq_along(found$scores[[score]])) {
      row <- found$scores[[score]][[place]]
      change <- if (place > 1) found$change[[score]][[place - 1]] else list(mean_decrease = NA, sd = NA)
      told <- c(row$mean, row$sd, change$mean_decrease, change$sd)
      told <- ifelse(is.na(told), "", sprintf("%.2f", told))
      cat(sprintf("  %-26s%5d%9s%8s%11s%8s\n", row$time, row$n, told[1], told[2], told[3], told[4]))
    }
  }
  cat("Remission by patient, at follow-up\n")
  for (outcome in names(outcomes)) {
    cat(sprintf("  %-26s%5d\n", outcomes[[outcome]], found$remission_by_patient[[outcome]]))
  }
}

if ("--json" %in% commandArgs(trailingOnly = TRUE)) cat(as_json(found), "\n", sep = "") else show(found)
