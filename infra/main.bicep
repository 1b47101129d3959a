// Tenantry in Azure: one resource group with the app, or the three of the isolated shape, its state, its audit and its alarms; its
// registrations in the source tenant; and, on every managed subscription, the custom role of Tenantry Access. Permissions and actions come from
// permissions.json, which tools/infra.py makes from the app's own permission table.

targetScope = 'subscription'

@description('Name of the azd environment.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of everything.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Whether what people reach, what works and the broker are apps of their own, each with an identity that only its own registrations trust. false: one app is all of it.')
param isolation bool = false

@description('Mail addresses of those whom alerts are sent to.')
@minLength(1)
param alertReceivers string[]

@description('Subscriptions whose Azure roles are looked after: Tenantry Access gets its custom role there. Leaving one out later takes no role away there: a person does.')
param managedSubscriptions string[] = []

@description('Managed subscriptions of the mode broker, which must be among the managed ones. Tenantry Broker, tier-0, is made only where there are any. Leaving one out later takes no role away there: a person does.')
param brokerSubscriptions string[] = []

@description('Settings whose secrets are in the vault already. All others are left out of the apps\' settings.')
@allowed([
  'TENANTRY_WEBHOOK_URL'
  'TENANTRY_WEBHOOK_KEY'
  'TENANTRY_WEBHOOK_PREVIOUS_KEY'
  'TENANTRY_FINANCE_KEY'
  'TENANTRY_FINANCE_PREVIOUS_KEY'
  'TENANTRY_TEAMS_URL'
  'TENANTRY_COOKIE_KEY'
  'TENANTRY_COOKIE_PREVIOUS_KEY'
])
param givenSecrets array = []

@description('Whether the app makes the enterprise applications of the synchronization (own), or adopts those that a person made (adopted). Adopted drops both tier-0 permissions of Tenantry Source; after a change to it, what was granted before stays granted until an administrator revokes it.')
@allowed([
  'own'
  'adopted'
])
param sourceMode string = 'own'

@description('Azure roles that may ever be written: Virtual Machine Contributor, Storage Account Contributor, or both.')
@minLength(1)
@allowed([
  '9980e02c-c2be-4d73-94e8-173b1dc7cf3c'
  '17d1049b-9a84-46fb-8f53-869881c3d3ab'
])
param azureRoles array = [
  '9980e02c-c2be-4d73-94e8-173b1dc7cf3c'
]

@description('The dearest request that finance\'s signed webhook counts for in broker mode; 0 for none.')
param webhookCeiling string = '0'

@description('The hour, in UTC, after which a night\'s work begins.')
@minValue(0)
@maxValue(23)
param nightlyHour int = 2

@description('The hour, in UTC, after which eligibilities are renewed.')
@minValue(0)
@maxValue(23)
param renewalHour int = 2

@description('How many days before its end an eligibility is renewed.')
@minValue(1)
param renewalWindowDays int = 21

@description('The most eligibilities that one run of the renewal changes in one tenant.')
@minValue(1)
param renewalMostChanges int = 50

@description('How long a consent or another person\'s act is waited for, in days.')
@minValue(1)
param consentDeadlineDays int = 14

@description('How long a directory may take to show a change, in minutes.')
@minValue(1)
param replicationDeadlineMinutes int = 30

@description('How long the synchronization may take for a tenant, in minutes.')
@minValue(1)
param provisioningDeadlineMinutes int = 120

@description('Memory of an instance, in MB.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('The most instances that an app scales out to.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('How many HTTP requests an instance takes at once, before another one is begun. They share one Python process.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 4

@description('Instances for orchestrators and activities that are kept running, and paid for.')
@minValue(0)
param durableAlwaysReady int = 0

@description('Redundancy of every storage account. Zone-redundant storage is not to be had in every region.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageRedundancy string = 'Standard_ZRS'

@description('How long logs are kept, in days.')
@minValue(30)
@maxValue(730)
param logDays int = 90

@description('How long a seal of the audit can be neither changed nor deleted, in days.')
@minValue(1)
@maxValue(146000)
param sealDays int = 2555

@description('Set to true after a person locked the retention policy of the seals: a locked policy cannot be deployed over.')
param sealsLocked bool = false

@description('Whether App Service authentication stands before the host\'s own routes. Set to false only to find out why the platform, and not the app, answers 401 or 403 below /api.')
param hostRoutesClosed bool = true

@description('Whether no address is let in at the worker and the broker. Set to false only where their timers do not run after a deployment.')
param workersClosed bool = true

var permissions = loadJsonContent('permissions.json')
var token = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }
var withBroker = !empty(brokerSubscriptions)
var brokerApart = isolation && withBroker
var appRole = isolation ? 'front' : 'all'

// What the worker sends to, and signs with. All other secrets are of what people reach.
var workerSecrets = [
  'TENANTRY_WEBHOOK_URL'
  'TENANTRY_WEBHOOK_KEY'
  'TENANTRY_WEBHOOK_PREVIOUS_KEY'
  'TENANTRY_TEAMS_URL'
]

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    role: appRole
    token: token
    location: location
    tags: tags
    redundancy: storageRedundancy
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpConcurrency: httpConcurrency
    workersClosed: workersClosed
    durableAlwaysReady: isolation ? 0 : durableAlwaysReady
  }
}

module workerApp 'modules/app.bicep' = if (isolation) {
  name: 'worker-app'
  scope: group
  params: {
    role: 'worker'
    token: token
    location: location
    tags: tags
    redundancy: storageRedundancy
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpConcurrency: httpConcurrency
    workersClosed: workersClosed
    durableAlwaysReady: durableAlwaysReady
  }
}

module brokerApp 'modules/app.bicep' = if (brokerApart) {
  name: 'broker-app'
  scope: group
  params: {
    role: 'broker'
    token: token
    location: location
    tags: tags
    redundancy: storageRedundancy
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpConcurrency: httpConcurrency
    workersClosed: workersClosed
  }
}

var appIdentity = app.outputs.principalId
var workerIdentity = isolation ? workerApp!.outputs.principalId : appIdentity
var brokerIdentity = brokerApart ? brokerApp!.outputs.principalId : appIdentity
var everyIdentity = concat(
  [appIdentity],
  isolation ? [workerIdentity] : [],
  brokerApart ? [brokerIdentity] : []
)

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    logDays: logDays
    principalIds: everyIdentity
  }
}

module state 'modules/state.bicep' = {
  name: 'state'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    redundancy: storageRedundancy
    principalIds: everyIdentity
  }
}

module audit 'modules/audit.bicep' = {
  name: 'audit'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    redundancy: storageRedundancy
    sealDays: sealDays
    sealsLocked: sealsLocked
    principalIds: everyIdentity
    sealerPrincipalId: workerIdentity
    environmentName: environmentName
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: isolation ? 'kv-front-${token}' : 'kv-${token}'
    location: location
    tags: tags
    identityPrincipalId: appIdentity
  }
}

module workerVault 'modules/vault.bicep' = if (isolation) {
  name: 'worker-vault'
  scope: group
  params: {
    name: 'kv-worker-${token}'
    location: location
    tags: tags
    identityPrincipalId: workerIdentity
  }
}

module api 'modules/api.bicep' = {
  name: 'api'
  scope: group
  params: {
    uniqueName: '${environmentName}-tenantry-api'
    declared: permissions.api
    hostName: app.outputs.hostName
    trusted: [appIdentity]
  }
}

module lookup 'modules/registration.bicep' = {
  name: 'lookup'
  scope: group
  params: {
    uniqueName: '${environmentName}-tenantry-lookup'
    declared: permissions.registrations.lookup
    sourceMode: sourceMode
    redirectUris: []
    trusted: everyIdentity
  }
}

module source 'modules/registration.bicep' = {
  name: 'source'
  scope: group
  params: {
    uniqueName: '${environmentName}-tenantry-source'
    declared: permissions.registrations.source
    sourceMode: sourceMode
    redirectUris: []
    trusted: [workerIdentity]
  }
}

module setup 'modules/registration.bicep' = {
  name: 'setup'
  scope: group
  params: {
    uniqueName: '${environmentName}-tenantry-setup'
    declared: permissions.registrations.setup
    sourceMode: sourceMode
    redirectUris: ['https://${app.outputs.hostName}/api/consent']
    trusted: [workerIdentity]
  }
}

module access 'modules/registration.bicep' = {
  name: 'access'
  scope: group
  params: {
    uniqueName: '${environmentName}-tenantry-access'
    declared: permissions.registrations.access
    sourceMode: sourceMode
    redirectUris: ['https://${app.outputs.hostName}/api/consent']
    trusted: [workerIdentity]
  }
}

module hunt 'modules/registration.bicep' = {
  name: 'hunt'
  scope: group
  params: {
    uniqueName: '${environmentName}-tenantry-hunt'
    declared: permissions.registrations.hunt
    sourceMode: sourceMode
    redirectUris: ['https://${app.outputs.hostName}/api/consent']
    trusted: [workerIdentity]
  }
}

module broker 'modules/registration.bicep' = if (withBroker) {
  name: 'broker'
  scope: group
  params: {
    uniqueName: '${environmentName}-tenantry-broker'
    declared: permissions.registrations.broker
    sourceMode: sourceMode
    redirectUris: []
    trusted: [brokerIdentity]
  }
}

module managed 'modules/subscription.bicep' = [
  for managedSubscription in managedSubscriptions: {
    name: '${environmentName}-tenantry-access-role'
    scope: subscription(managedSubscription)
    params: {
      roleName: 'Tenantry Access (${environmentName})'
      roleDescription: 'What Tenantry Access calls on a managed subscription, and nothing else. Tier-0: it may write eligibilities.'
      actions: permissions.azureActions
      principalId: access.outputs.principalId
    }
  }
]

module brokered 'modules/subscription.bicep' = [
  for brokerSubscription in brokerSubscriptions: {
    name: '${environmentName}-tenantry-broker-role'
    scope: subscription(brokerSubscription)
    params: {
      roleName: 'Tenantry Broker (${environmentName})'
      roleDescription: 'What Tenantry Broker calls on a subscription of the mode broker. Tier-0: it may make anybody active.'
      actions: permissions.brokerActions
      principalId: broker!.outputs.principalId
    }
  }
]

var clientIds = {
  api: api.outputs.clientId
  lookup: lookup.outputs.clientId
  source: source.outputs.clientId
  setup: setup.outputs.clientId
  access: access.outputs.clientId
  hunt: hunt.outputs.clientId
  broker: withBroker ? broker!.outputs.clientId : ''
}
var publicUrl = 'https://${app.outputs.hostName}'
var common = {
  publicUrl: publicUrl
  tablesEndpoint: state.outputs.tablesEndpoint
  auditTablesEndpoint: audit.outputs.tablesEndpoint
  auditBlobsEndpoint: audit.outputs.blobsEndpoint
  insightsConnectionString: monitoring.outputs.connectionString
  clientIds: clientIds
  sourceMode: sourceMode
  azureRoles: azureRoles
  webhookCeiling: webhookCeiling
  nightlyHour: nightlyHour
  renewalHour: renewalHour
  renewalWindowDays: renewalWindowDays
  renewalMostChanges: renewalMostChanges
  consentDeadlineDays: consentDeadlineDays
  replicationDeadlineMinutes: replicationDeadlineMinutes
  provisioningDeadlineMinutes: provisioningDeadlineMinutes
}

module settings 'modules/settings.bicep' = {
  name: 'settings'
  scope: group
  params: {
    role: appRole
    appName: app.outputs.name
    identityClientId: app.outputs.identityClientId
    hostAccountName: app.outputs.hostAccountName
    vaultName: vault.outputs.name
    givenSecrets: filter(givenSecrets, one => !isolation || !contains(workerSecrets, one))
    common: common
    hostRoutesClosed: hostRoutesClosed
  }
}

module workerSettings 'modules/settings.bicep' = if (isolation) {
  name: 'worker-settings'
  scope: group
  params: {
    role: 'worker'
    appName: workerApp!.outputs.name
    identityClientId: workerApp!.outputs.identityClientId
    hostAccountName: workerApp!.outputs.hostAccountName
    vaultName: workerVault!.outputs.name
    givenSecrets: filter(givenSecrets, one => contains(workerSecrets, one))
    common: common
    hostRoutesClosed: hostRoutesClosed
  }
}

module brokerSettings 'modules/settings.bicep' = if (brokerApart) {
  name: 'broker-settings'
  scope: group
  params: {
    role: 'broker'
    appName: brokerApp!.outputs.name
    identityClientId: brokerApp!.outputs.identityClientId
    hostAccountName: brokerApp!.outputs.hostAccountName
    vaultName: ''
    givenSecrets: []
    common: common
    hostRoutesClosed: hostRoutesClosed
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    brokerApart: brokerApart
    receivers: alertReceivers
  }
}

@description('The resource group, for whoever locks the retention policy of the seals.')
output AZURE_RESOURCE_GROUP string = group.name

@description('For azure.yaml: true where the worker is an app of its own, whose package is deployed, too.')
output TENANTRY_ISOLATED string = isolation ? 'true' : 'false'

@description('For azure.yaml: the same of the broker.')
output TENANTRY_BROKERED string = brokerApart ? 'true' : 'false'

@description('Where the app is reached.')
output TENANTRY_PUBLIC_URL string = publicUrl

@description('Client id of Tenantry API, for clients that ask for its tokens.')
output TENANTRY_API_CLIENT_ID string = api.outputs.clientId

@description('The vault into which a person puts the secrets of cookies and finance.')
output TENANTRY_VAULT_NAME string = vault.outputs.name

@description('The vault into which a person puts the secrets of alarms: the same one, where one app is all.')
output TENANTRY_WORKER_VAULT_NAME string = isolation ? workerVault!.outputs.name : vault.outputs.name

@description('Account of the state, for backup and restore.')
output TENANTRY_STATE_ACCOUNT string = state.outputs.accountName

@description('Account of the task hub, which is emptied at a restore.')
output TENANTRY_TASK_HUB_ACCOUNT string = isolation ? workerApp!.outputs.hostAccountName : app.outputs.hostAccountName

@description('The apps, which are stopped for a backup.')
output TENANTRY_APPS string[] = concat(
  [app.outputs.name],
  isolation ? [workerApp!.outputs.name] : [],
  brokerApart ? [brokerApp!.outputs.name] : []
)

@description('Account of the audit, whose retention policy a person locks.')
output TENANTRY_AUDIT_ACCOUNT string = audit.outputs.accountName

@description('For the verifier: table endpoint of the audit.')
output TENANTRY_AUDIT_TABLES_ENDPOINT string = audit.outputs.tablesEndpoint

@description('For the verifier: blob endpoint of the audit.')
output TENANTRY_AUDIT_BLOBS_ENDPOINT string = audit.outputs.blobsEndpoint
