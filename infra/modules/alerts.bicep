// Who is told when the app's log says that somebody must look. Each query names events that the app writes; that it does is
// tested. The app's own outbox tells receivers of single cases: these alerts are for whoever runs the app, and work when it
// does not.

@description('Name of the environment, in the names of the alerts.')
param environmentName string

@description('Region.')
param location string

@description('Tags of the environment.')
param tags object

@description('Resource id of the workspace that is queried.')
param workspaceId string

@description('Whether the broker is an app of its own, which has a timer beside the others.')
param brokerApart bool

@description('Mail addresses of those who are told.')
param receivers string[]

// One for each app that has timers. Of an app that another shape left behind none is named: it must not stand in for one that died.
var timers = brokerApart ? ['sweep_runs', 'serve_broker'] : ['sweep_runs']

// Each query gives a row for what is to be told, and none otherwise.
var rules = [
  {
    name: 'renewal-missed'
    displayName: 'No night came to its end'
    description: 'No renewal, or none of the night\'s other work, came to its end or was sealed for 30 hours, or not everything could be looked at. Is the app running? See GET /api/renewals/{date}. Fires after a first deployment until its first night.'
    severity: 1
    every: 'PT1H'
    over: 'P1D'
    lookBack: 'P2D'
    query: '''
AppTraces
| where TimeGenerated > ago(30h)
| extend Event = tostring(split(Message, ' ')[0])
| summarize
    Renewals = countif(Event == 'renewal.over'),
    Nights = countif(Event == 'night.over'),
    Seals = countif(Event == 'audit.sealed'),
    Failed = countif(Event == 'renewal.failed' and TimeGenerated > ago(2h))
| where Renewals == 0 or Nights == 0 or Seals == 0 or Failed > 0
'''
  }
  {
    name: 'eligibility-ending'
    displayName: 'An eligibility ends and could not be renewed'
    description: 'An eligibility is about to end, or ended, and renewal could not extend it. GET /api/eligibilities tells which, GET /api/renewals/{date} why.'
    severity: 1
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppTraces
| extend Event = tostring(split(Message, ' ')[0])
| where Event in ('renewal.at_risk', 'renewal.lapsed', 'renewal.given_up', 'renewal.access_lost')
'''
  }
  {
    name: 'review-due'
    displayName: 'Eligibilities wait for a person\'s review'
    description: 'After a year nothing is extended until a person says that it is needed: POST .../review.'
    severity: 3
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppTraces
| where Message startswith 'renewal.review_due '
'''
  }
  {
    name: 'onboarding-stuck'
    displayName: 'A tenant waits for somebody, or its onboarding failed'
    description: 'GET /api/tenants/{tenantId} says what is wrong and what to do.'
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppTraces
| extend Event = tostring(split(Message, ' ')[0])
| where Event in ('tenant.stopped', 'tenant.wait_over', 'tenant.access_lost')
'''
  }
  {
    name: 'webhook-signatures'
    displayName: 'Webhooks with a wrong signature'
    description: 'Three or more of finance\'s webhooks within half an hour were unsigned, wrongly signed or out of time: somebody tries, or a key was changed on one side only.'
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppTraces
| where Message startswith 'webhook.refused '
| summarize Refused = count()
| where Refused >= 3
'''
  }
  {
    name: 'orchestrations-stuck'
    displayName: 'Runs do not begin, or died'
    description: 'A run was never started, its orchestration is gone, or a night\'s failed. Look at the app and its storage.'
    severity: 1
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppTraces
| extend Event = tostring(split(Message, ' ')[0])
| where Event in ('run.interrupted', 'run.not_started', 'run.stuck', 'night.failed', 'subscription_night.failed')
'''
  }
  {
    name: 'timers-stopped'
    displayName: 'The app\'s timers do not run'
    description: 'A timer of every minute had no success for half an hour: an app is stopped, its storage is not reached, a setting is wrong, or a deployment failed.'
    severity: 1
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppRequests
| where Success and Name in ("{timers}")
| summarize Running = dcount(Name)
| where Running < {count}
'''
  }
  {
    name: 'look-today'
    displayName: 'Something that nobody is told of otherwise'
    description: 'A locked role is active without a decision, a request cannot be followed, a night gave a tenant up, or notices cannot be delivered. The trace says which; the README says what to do.'
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppTraces
| extend Event = tostring(split(Message, ' ')[0])
| where Event in (
    'activation.without_decision',
    'activation.name_taken',
    'activation.unreadable',
    'activation.not_cancelled',
    'activation.not_granted',
    'activation.not_released',
    'decision.refused',
    'request.not_set_up',
    'night.given_up',
    'subscription_night.given_up',
    'notice.refused',
    'notice.given_up',
    'notice.destination_gone')
'''
  }
  {
    name: 'audit-broken'
    displayName: 'The audit\'s chain is broken, or could not be sealed'
    description: 'An entry was altered or is gone, a night put no seal of the heads, or a stored row is unreadable. Run python -m shared.auditing verify.'
    severity: 0
    every: 'PT15M'
    over: 'PT30M'
    query: '''
AppTraces
| extend Event = tostring(split(Message, ' ')[0])
| where Event in ('audit.broken', 'audit.not_sealed', 'audit.no_seals', 'row.unreadable')
'''
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${environmentName}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'Tenantry'
    emailReceivers: [
      for (receiver, index) in receivers: {
        name: 'receiver-${index}'
        emailAddress: receiver
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = [
  for rule in rules: {
    name: '${environmentName}-${rule.name}'
    location: location
    tags: tags
    properties: {
      displayName: 'Tenantry (${environmentName}): ${rule.displayName}'
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [
        workspaceId
      ]
      evaluationFrequency: rule.every
      windowSize: rule.over
      overrideQueryTimeRange: rule.?lookBack
      criteria: {
        allOf: [
          {
            query: replace(replace(rule.query, '{timers}', join(timers, '", "')), '{count}', string(length(timers)))
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      autoMitigate: true
      // The tables of a new workspace are there only once something was written.
      skipQueryValidation: true
      actions: {
        actionGroups: [
          people.id
        ]
      }
    }
  }
]
